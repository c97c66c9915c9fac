import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RealtimeClient, RequestError, type ConnectionState } from '../../lib/client/index.js';
import { promisesSettled } from '../rig/clock/manual-clock.js';
import { SocketDoubles } from './socket-double.js';
import { Testbed } from './testbed.js';

let bed: Testbed;
beforeEach(() => {
  bed = new Testbed();
});
afterEach(() => bed.client.close());

describe('frames that keep to no protocol', () => {
  const PAYLOADS = [undefined, null, 0, 'text', [], {}, { code: 1 }, { __proto__: null }];

  it.each(['$error', '$reply', '$next', '$complete', '$goaway', '$request', '$hello', 'pong', '$resync'])(
    '%s with any payload and any id breaks nothing',
    async (type) => {
      const socket = await bed.connected({ heartbeat: null });
      const pending = bed.client.request('ask', {}, { timeoutMs: false });
      pending.catch(() => undefined);
      const ids = [undefined, '$resume', 'ping', '$auth', '__proto__', socket.ofType('ask')[0]?.id];
      for (const payload of PAYLOADS) for (const id of ids) socket.deliver(type, payload, id);
      await promisesSettled();
      expect(bed.client.state.status).toBe('connected');
      const received: unknown[] = [];
      bed.client.on('news', (news) => received.push(news));
      socket.deliver('news', 1);
      expect(received).toEqual([1]);
    },
  );

  it('a $hello without a session is ignored', async () => {
    void bed.client.connect();
    const socket = await bed.sockets.newest();
    socket.open();
    for (const payload of [undefined, null, 'hello', {}]) socket.deliver('$hello', payload);
    expect(bed.client.state.status).toBe('connecting');
    socket.deliver('$hello', { connectionId: 'c', sessionId: 's', userId: null });
    expect(bed.client.state).toMatchObject({ status: 'connected', sessionId: 's' });
  });

  it('a second $hello makes no other session of it', async () => {
    const socket = await bed.connected({ sessionId: 'mine' });
    socket.hello({ sessionId: 'other' });
    socket.end();
    await bed.clock.advance(5_000);
    const next = await bed.sockets.newest();
    next.open();
    expect(next.ofType('$resume')[0]?.payload).toMatchObject({ sessionId: 'mine' });
    bed.client.close();
    expect(bed.clock.pending, 'timers that were left').toBe(0);
  });

  it('$error has a code and a message whatever the server sent', async () => {
    const errors: RequestError[] = [];
    const socket = await bed.connected();
    bed.client.onError((error) => errors.push(error));
    socket.deliver('$error', null);
    expect(errors).toMatchObject([{ code: 'INTERNAL', message: '' }]);
  });
});

describe('a refusal', () => {
  it('carries the details and the issues that the server sent', async () => {
    const socket = await bed.connected();
    const pending = bed.client.request('ask', {});
    const payload = {
      code: 'TAKEN',
      message: 'no',
      details: { until: '21:00' },
      issues: [{ path: 'n', message: 'x' }],
    };
    socket.deliver('$error', payload, socket.ofType('ask')[0]?.id);
    await expect(pending).rejects.toMatchObject(payload);
  });

  it('of a request of the server carries its details', async () => {
    const socket = await bed.connected();
    bed.client.onRequest('confirm', () => {
      throw new RequestError('BUSY', 'not now', { details: { until: '21:00' } });
    });
    socket.deliver('$request', { type: 'confirm', payload: {} }, 's1');
    await promisesSettled();
    expect(socket.sent[0]?.payload).toEqual({
      code: 'BUSY',
      message: 'not now',
      details: { until: '21:00' },
    });
  });
});

it('a listener that another one has taken away is not called any more', async () => {
  const socket = await bed.connected();
  const received: string[] = [];
  bed.client.on('news', () => stop());
  const stop = bed.client.on('news', () => received.push('late'));
  socket.deliver('news', {});
  expect(received).toEqual([]);
});

it('a clock that was set back delays no probe', async () => {
  const socket = await bed.connected({ heartbeat: { intervalMs: 25_000, timeoutMs: 10_000 } });
  const now = bed.clock.now.bind(bed.clock);
  vi.spyOn(bed.clock, 'now').mockImplementation(() => now() - 3_600_000);
  await bed.clock.advance(3 * 25_000);
  expect(socket.ofType('ping').length).toBeGreaterThan(0);
});

describe('timers', () => {
  it.each([Infinity, 3e9, Number.MAX_VALUE])('of %d ms are no timers of 1 ms', async (never) => {
    const sockets = new SocketDoubles();
    const states: ConnectionState[] = [];
    const client = new RealtimeClient('ws://test/ws', {
      WebSocket: sockets.WebSocket,
      connectTimeoutMs: never,
      requestTimeoutMs: never,
      stableAfterMs: never,
      token: () => 't',
    });
    client.onStateChange((state) => states.push(state));
    const whileAway = { queue: { max: 9, ttlMs: never } };
    const [sent, pending] = [client.send('say', {}, { whileAway }), client.request('ask', {})];
    await new Promise((resolve) => setTimeout(resolve, 20));
    (await sockets.newest()).accept({ expiresInMs: 3e9 });
    const socket = await sockets.newest();
    expect(await sent).toBe('sent');
    socket.deliver('$reply', { n: 1 }, socket.ofType('ask')[0]?.id);
    expect(await pending).toEqual({ n: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(states.map(({ status }) => status)).toEqual(['connecting', 'connected']);
    expect(socket.ofType('$auth')).toHaveLength(1);
    client.close();
  });
});
