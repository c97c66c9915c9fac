import { afterEach, expect, it, vi } from 'vitest';
import { SessionMemory } from '../../lib/gateway/session-memory.js';
import { openLobby } from './lobby.js';

afterEach(() => void vi.useRealTimers());

it('a client that comes back is told that the answers of its session are remembered; a stranger to it is not', async () => {
  const { app, visits } = await openLobby();
  const client = app.open('/lobby');
  const { sessionId } = await client.hello();
  const gone = visits.departure();
  client.socket.terminate();
  await gone;
  const again = await app.connect('/lobby');
  expect(await again.request('$resume', { sessionId })).toMatchObject({ sessionId, answersRemembered: true });
  const madeUp = '00000000-0000-4000-8000-000000000000';
  expect(await again.request('$resume', { sessionId: madeUp })).toMatchObject({ answersRemembered: false });
});

it('ended sessions are remembered for a time', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const memory = new SessionMemory(1_000);
  memory.ended('a');
  vi.advanceTimersByTime(999);
  expect(memory.remembers('a')).toBe(true);
  vi.advanceTimersByTime(1);
  expect(memory.remembers('a')).toBe(false);
  memory.ended('b');
  expect(memory.size).toBe(1);
});

it('a flood of connections that come and go leaves 100,000 sessions behind and no more', () => {
  const memory = new SessionMemory(120_000);
  for (let i = 0; i < 150_000; i++) memory.ended(`session ${i}`);
  expect(memory.size).toBe(100_000);
  expect([memory.remembers('session 49999'), memory.remembers('session 50000')]).toEqual([false, true]);
});

it('false remembers nothing', () => {
  const memory = new SessionMemory(false);
  memory.ended('a');
  expect([memory.size, memory.remembers('a')]).toEqual([0, false]);
});
