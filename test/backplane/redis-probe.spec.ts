import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PROBE, RedisProbe } from '../../lib/backplane/redis/pubsub/redis-probe.js';

const sent: string[] = [];
const states: string[] = [];
const roundTrips: number[] = [];
let probe: RedisProbe;

beforeEach(() => {
  vi.useFakeTimers();
  const route = { send: async (text: string) => void sent.push(text), late: () => {}, recycle: () => {} };
  probe = new RedisProbe(
    route,
    PROBE,
    (state) => states.push(state),
    (seconds) => roundTrips.push(seconds),
  );
  void probe.start();
});
afterEach(() => {
  probe.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  for (const list of [sent, states, roundTrips]) list.length = 0;
});

it('is up when what it sent comes back', () => {
  vi.advanceTimersByTime(20);
  probe.received(sent[0] ?? '');
  expect(states).toEqual(['up']);
  expect(roundTrips).toEqual([0.02]);
});

it.each(['', 'owner', '1 0', 'another 1e3', '\u0000'])('is not up by %j, which it did not send', (text) => {
  probe.received(text);
  expect([states, roundTrips]).toEqual([[], []]);
});

it('is not up by a probe of long ago, or of the future', () => {
  const [mark] = (sent[0] ?? '').split(' ');
  vi.advanceTimersByTime(PROBE.timeoutMs + 1);
  probe.received(sent[0] ?? '');
  probe.received(`${mark} ${performance.now() + 1}`);
  probe.received(`${mark} `.trim());
  expect(states).toEqual([]);
});
