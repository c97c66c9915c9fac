import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CoreClient, type ConnectionState } from '../../lib/client/index.js';
import { ManualClock, promisesSettled } from '../rig/clock/manual-clock.js';
import { SocketDoubles, type SocketDouble } from './socket-double.js';
import type { AnyTalk } from './testbed.js';

let clock: ManualClock;
let sockets: SocketDoubles;
let client: CoreClient<AnyTalk>;
let states: ConnectionState[];
let reasons: string[];
beforeEach(() => {
  clock = new ManualClock();
  sockets = new SocketDoubles();
  states = [];
  reasons = [];
  client = new CoreClient<AnyTalk>('ws://test/ws', {
    clock,
    WebSocket: sockets.WebSocket,
    random: () => 0.5,
    token: ({ reason }) => `token ${reasons.push(reason)}`,
  });
  client.onStateChange((state) => states.push(state));
});
afterEach(() => {
  client.close();
  expect(clock.pending, 'timers that were left').toBe(0);
});

async function connected(hello: object = {}): Promise<SocketDouble> {
  void client.connect();
  const socket = await sockets.newest();
  socket.accept({ sessionId: 'mine', connectionId: 'old', ...hello });
  return socket;
}

const numbers = (socket: SocketDouble) =>
  socket.sent.flatMap(({ payload }) => (payload as { n?: number }).n ?? []);

describe('after $goaway', () => {
  async function next(old: SocketDouble): Promise<SocketDouble> {
    old.deliver('$goaway', { reconnectAfterMs: 1_000 });
    await clock.advance(1_000);
    const socket = await sockets.newest();
    socket.open();
    return socket;
  }

  it('the old connection is left as soon as the next one is usable', async () => {
    const old = await connected();
    const received: unknown[] = [];
    client.on('news', (payload) => received.push(payload));
    const socket = await next(old);
    old.deliver('news', 1);
    expect(old.left).toBeUndefined();
    socket.hello({ sessionId: 'mine', connectionId: 'new' });
    expect(old.left).toEqual({ code: 1000, reason: 'moved' });
    old.deliver('news', 2);
    socket.deliver('news', 3);
    expect(received).toEqual([1, 3]);
    expect(states.map(({ status }) => status)).toEqual(['connecting', 'connected', 'connected']);
  });

  it('requests without a reply are sent again before what waited for the next connection', async () => {
    const old = await connected();
    const first = client.request('ask', { n: 1 });
    const socket = await next(old);
    const second = client.request('ask', { n: 2 });
    const third = client.send('say', { n: 3 });
    socket.hello({ sessionId: 'mine', connectionId: 'new' });
    expect(numbers(socket)).toEqual([1, 2, 3]);
    for (const { id, payload } of socket.ofType('ask')) socket.deliver('$reply', payload, id);
    expect(await Promise.all([first, second, third])).toEqual([{ n: 1 }, { n: 2 }, 'sent']);
  });

  it('requests without a reply fail when the next server does not hold their replies', async () => {
    const old = await connected();
    const pending = client.request('ask', { n: 1 });
    const socket = await next(old);
    socket.deliver('$reply', { sessionId: 'mine', answersRemembered: false }, '$resume');
    socket.hello({ sessionId: 'mine', connectionId: 'new' });
    await expect(pending).rejects.toMatchObject({ code: 'DISCONNECTED' });
    expect(numbers(socket)).toEqual([]);
  });

  it('the client reconnects at the advised time when the old connection ends first', async () => {
    const old = await connected();
    old.deliver('$goaway', { reconnectAfterMs: 3_000 });
    old.end(1012);
    expect(client.state).toMatchObject({ status: 'reconnecting', code: 1012, retryInMs: 3_000 });
    await clock.advance(3_000);
    (await sockets.newest()).accept({ sessionId: 'mine' });
    expect(client.state.status).toBe('connected');
  });
});

describe('a token that expires', () => {
  it('is not renewed over the connection; after 4401 the client reconnects with a fresh one', async () => {
    const socket = await connected({ expiresInMs: 60_000, heartbeat: null });
    await clock.advance(60_000);
    expect(socket.ofType('$auth').map(({ payload }) => payload)).toEqual([{ token: 'token 1' }]);
    socket.end(4401, 'the token has expired');
    expect(client.state).toMatchObject({ status: 'reconnecting', code: 4401, retryInMs: 250 });
    await clock.advance(250);
    const next = await sockets.newest();
    next.accept({ sessionId: 'mine' });
    expect(next.sent[0]).toEqual({ type: '$auth', payload: { token: 'token 2' } });
    expect([client.state.status, reasons]).toEqual(['connected', ['connect', 'refused']]);
  });
});

describe('the core', () => {
  it('offers the session without positions', async () => {
    const socket = await connected();
    socket.deliverText('{"type":"news","payload":1,"channel":"user","position":"e:1"}');
    socket.end();
    await clock.advance(5_000);
    const next = await sockets.newest();
    next.open();
    expect(next.ofType('$resume')[0]?.payload).toEqual({
      sessionId: 'mine',
      connectionIds: ['old'],
      positions: {},
    });
  });

  it('sends what JSON.stringify makes of a payload', async () => {
    const socket = await connected();
    expect(await client.send('say', { map: new Map() })).toBe('sent');
    expect(socket.ofType('say')).toEqual([{ type: 'say', payload: { map: {} } }]);
  });

  it('ignores $request and unknown $… messages', async () => {
    const socket = await connected();
    for (const type of ['$request', '$resync', 'pong']) socket.deliver(type, { type: 'confirm' }, 's1');
    await promisesSettled();
    expect(socket.sent).toHaveLength(1);
    expect(client.state.status).toBe('connected');
  });
});
