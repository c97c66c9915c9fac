import { UnauthorizedException } from '@nestjs/common';
import type { Authenticate, Connection } from 'nestjs-realtime';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Gate } from '../rig/clock/gate.js';
import { openLobby, type Lobby } from './lobby.js';
import type { TestClient } from 'nestjs-realtime/testing';

const MINUTE_MS = 60_000;

/** `ann:2` is a token of ann's valid for two minutes; `bad` is refused, `broken` makes `authenticate` throw. */
const authenticate: Authenticate = ({ token = '' }) => {
  if (token === 'broken') return 7 as never;
  const [userId, minutes] = token.split(':');
  return minutes === undefined ? null : { userId, expiresAt: Date.now() + Number(minutes) * MINUTE_MS };
};

let lobby: Lobby;
let client: TestClient;
beforeEach(async () => {
  lobby = await openLobby({ authenticate, heartbeat: false });
  lobby.visits.onConnect = (connection) => connection.join('floor');
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: Date.now() });
  client = await lobby.app.connect('/lobby', { token: 'ann:1' });
});
afterEach(() => void vi.useRealTimers());

const connection = () => [...lobby.registry][0];

it('a refresh keeps the connection, its id and its rooms, and extends its expiry', async () => {
  const before = connection();
  expect(await client.request('$auth', { token: 'ann:5' })).toEqual({ expiresInMs: 5 * MINUTE_MS });
  await vi.advanceTimersByTimeAsync(4 * MINUTE_MS);
  expect(await client.request('say', { text: 'still here' })).toEqual({ text: 'still here' });
  expect(connection()).toBe(before);
  expect(lobby.registry.inRoom('floor')).toEqual([before]);
  expect(lobby.visits.connected).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  vi.useRealTimers();
  expect((await client.closed).code).toBe(4401);
});

it('a refresh with a shorter token expires sooner', async () => {
  await client.request('$auth', { token: 'ann:0.5' });
  await vi.advanceTimersByTimeAsync(MINUTE_MS / 2);
  vi.useRealTimers();
  expect((await client.closed).code).toBe(4401);
});

it("another user's token is FORBIDDEN, and the connection stays as it was", async () => {
  await expect(client.request('$auth', { token: 'bob:5' })).rejects.toThrow(
    'FORBIDDEN: the token belongs to another user',
  );
  expect(connection()?.userId).toBe('ann');
  expect(await client.request('say', { text: 'a' })).toEqual({ text: 'a' });
  expect(lobby.metrics.messagesRefused.of('FORBIDDEN')).toBe(1);
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  vi.useRealTimers();
  expect((await client.closed).code).toBe(4401);
});

it.each([
  ['bad', 'UNAUTHENTICATED: the token was refused', { code: 4401, reason: 'the token has expired' }],
  ['broken', 'INTERNAL: internal error', { code: 1013, reason: 'retry=5000' }],
])('a refresh with the token %s gets %s and keeps the old expiry', async (token, answer, end) => {
  await expect(client.request('$auth', { token })).rejects.toThrow(answer);
  await vi.advanceTimersByTimeAsync(MINUTE_MS - 1);
  expect(await client.request('say', { text: 'a' })).toEqual({ text: 'a' });
  await vi.advanceTimersByTimeAsync(1);
  vi.useRealTimers();
  expect(await client.closed).toEqual(end);
});

it('handleRefresh is called, gets the new identity, and is awaited before the reply', async () => {
  const looked = new Gate();
  const seen: unknown[] = [];
  lobby.visits.onRefresh = ({ user }) => {
    seen.push(user);
    return looked.opened;
  };
  let isAnswered = false;
  const answer = client.request('$auth', { token: 'ann:3' }).then(() => (isAnswered = true));
  await client.request('say', { text: 'meanwhile' });
  expect([seen, isAnswered]).toEqual([[{ userId: 'ann', expiresAt: Date.now() + 3 * MINUTE_MS }], false]);
  looked.open();
  await answer;
});

it('handleRefresh is not called for a refused token', async () => {
  let calls = 0;
  lobby.visits.onRefresh = () => calls++;
  await client.request('$auth', { token: 'bad' }).catch(() => {});
  await client.request('$auth', { token: 'bob:1' }).catch(() => {});
  expect(calls).toBe(0);
});

it.each([
  ['an Error', () => new Error('s3cret'), 1011, 'internal error'],
  ['an HttpException 401', () => new UnauthorizedException('banned'), 4401, 'banned'],
])('handleRefresh that throws %s closes the connection', async (_what, make, code, reason) => {
  lobby.visits.onRefresh = () => Promise.reject(make());
  client.send({ type: '$auth', payload: { token: 'ann:5' } });
  vi.useRealTimers();
  expect(await client.closed).toEqual({ code, reason });
  expect(lobby.metrics.hookFailures.of('handleRefresh')).toBe(1);
});

it('a connection whose token does not expire has nothing to refresh', async () => {
  const { app } = await openLobby({ authenticate: () => ({ userId: 'ann' }) });
  const endless = await app.connect('/lobby', { token: 't' });
  await expect(endless.request('$auth', { token: 't' })).rejects.toThrow(
    'BAD_REQUEST: already authenticated',
  );
});

it('a second $auth during authentication is BAD_REQUEST and does not reach the app', async () => {
  vi.useRealTimers();
  const gate = new Gate();
  let calls = 0;
  const { app } = await openLobby({
    authenticate: async ({ token }) => {
      calls++;
      if (token === 'slow') await gate.opened;
      return { userId: 'ann', expiresAt: Date.now() + MINUTE_MS };
    },
  });
  const own = await app.connect('/lobby', { token: 'first' });
  const slow = own.request('$auth', { token: 'slow' });
  await expect(own.request('$auth', { token: 'other' })).rejects.toThrow(
    'BAD_REQUEST: authentication already in progress',
  );
  gate.open();
  await slow;
  await own.request('$auth', { token: 'third' });
  expect(calls).toBe(3);
});

it('a refresh gets the handshake that the connection was opened with', async () => {
  vi.useRealTimers();
  const seen: object[] = [];
  const { app } = await openLobby({
    authenticate: ({ token, request, ...handshake }) => {
      const { url, method, headers } = request;
      seen.push({ ...handshake, url, method, headers, peer: request.socket.remotePort });
      return { userId: String(token), expiresAt: Date.now() + MINUTE_MS };
    },
  });
  const own = await app.connect('/lobby?tenant=a%20b&x=1&x=2', {
    token: 'ann',
    headers: { Cookie: 'a=1; b="ü"', Origin: `http://127.0.0.1:${app.port}`, 'X-Twice': 'y' },
  });
  await own.request('$auth', { token: 'ann' });
  expect(seen).toHaveLength(2);
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[0]).toMatchObject({ url: '/lobby?tenant=a%20b&x=1&x=2', method: 'GET', cookies: { a: '1' } });
});

it('a refresh waits for handleConnection: a demoted user is in no room that requires its old role', async () => {
  vi.useRealTimers();
  const hook = new Gate();
  const { app, registry, visits } = await openLobby({
    authenticate: ({ token }) => ({
      userId: 'ann',
      user: { role: token },
      expiresAt: Date.now() + MINUTE_MS,
    }),
  });
  const roleOf = ({ user }: Connection) => (user as { role?: string }).role;
  const entered = new Gate();
  const order: string[] = [];
  visits.onConnect = async (connection) => {
    const role = roleOf(connection);
    entered.open();
    await hook.opened;
    order.push(`connect ${role}`);
    if (role === 'host') await connection.join('hosts');
  };
  visits.onRefresh = (connection) => {
    order.push(`refresh ${roleOf(connection)}`);
    if (roleOf(connection) !== 'host') connection.leave('hosts');
  };
  const own = app.open('/lobby', { token: 'host' });
  await entered.opened;
  const refreshed = own.request('$auth', { token: 'guest' });
  own.send({ type: 'ping', id: 'p' });
  while ((await own.next()).type !== 'pong');
  hook.open();
  await own.hello();
  await refreshed;
  expect(order).toEqual(['connect host', 'refresh guest']);
  expect(registry.inRoom('hosts')).toEqual([]);
});

it('handleDisconnect waits for a running handleRefresh', async () => {
  vi.useRealTimers();
  const hook = new Gate();
  const began = new Gate();
  const order: string[] = [];
  lobby.visits.onRefresh = async () => {
    began.open();
    await hook.opened;
    order.push('refreshed');
  };
  const gone = new Promise<void>((resolve) => {
    lobby.visits.onDisconnect = () => {
      order.push('disconnected');
      resolve();
    };
  });
  client.send({ type: '$auth', payload: { token: 'ann:3' } });
  await began.opened;
  await client.close();
  while (lobby.registry.size > 0) await new Promise(setImmediate);
  hook.open();
  await gone;
  expect(order).toEqual(['refreshed', 'disconnected']);
});

it('a handleRefresh that takes longer than handshakeTimeoutMs closes the connection with 1013', async () => {
  vi.useRealTimers();
  const { app, visits, metrics } = await openLobby({ authenticate, handshakeTimeoutMs: 30 });
  const hook = new Gate();
  visits.onRefresh = () => hook.opened;
  const own = await app.connect('/lobby', { token: 'ann:1' });
  own.send({ type: '$auth', payload: { token: 'ann:3' } });
  expect(await own.closed).toEqual({ code: 1013, reason: 'retry=5000' });
  expect(metrics.hookFailures.of('handleRefresh')).toBe(1);
  hook.open();
});
