import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Authenticate } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { Gate } from '../rig/clock/gate.js';
import { openLobby } from './lobby.js';
import { upgradeText } from '../rig/sockets/client-bytes.js';
import { readUntil, tcpConnection, upgrade } from '../rig/sockets/upgrade-request.js';

const REFUSED = 'too many connections';

describe('maxConnections', () => {
  it('refuses with 503 and Retry-After, and counts it', async () => {
    const { app, metrics } = await openLobby({ maxConnections: 2 });
    await app.connect('/lobby');
    await app.connect('/lobby');
    const { status, headers, body } = await upgrade(app.port);
    expect([status, headers['retry-after'], body]).toEqual([503, '5', REFUSED]);
    expect(metrics.upgradesRefused.of('connections')).toBe(1);
  });

  it('releases the permit after a close and after a lost socket', async () => {
    const { app, visits } = await openLobby({ maxConnections: 1 });
    for (const end of ['close', 'terminate'] as const) {
      const gone = new Promise((resolve) => (visits.onDisconnect = resolve));
      const client = await app.connect('/lobby');
      client.socket[end]();
      await gone;
    }
    await app.connect('/lobby');
  });

  it('releases the permit after a refusal, a throw and a broken handshake', async () => {
    const answers = [
      () => null,
      () => {
        throw new Error('no');
      },
      () => 'nonsense' as never,
    ];
    const { app } = await openLobby({
      maxConnections: 1,
      authenticate: () => (answers.shift() ?? (() => ({})))(),
    });
    const token = { headers: { Authorization: 'Bearer t' } };
    const broken = { headers: { ...token.headers, 'Sec-WebSocket-Protocol': 'a,,b' } };
    const statuses: number[] = [];
    for (const request of [token, token, token, broken])
      statuses.push((await upgrade(app.port, request)).status);
    expect(statuses).toEqual([401, 503, 500, 400]);
    await app.connect('/lobby', { token: 't' });
  });

  it('counts clients during authentication', async () => {
    const { called, answer, authenticate } = slowAuthentication();
    const { app } = await openLobby({ maxConnections: 1, authenticate });
    const first = app.open('/lobby', { token: 't' });
    await called.opened;
    expect((await upgrade(app.port)).status).toBe(503);
    answer.open();
    await first.hello();
  });

  it.each(['destroy', 'resetAndDestroy'] as const)(
    'releases the permit of a client that disconnected while authenticate ran: %s',
    async (vanish) => {
      const { called, answer, authenticate } = slowAuthentication();
      const { app, registry } = await openLobby({ maxConnections: 1, authenticate });
      const accepted = once(app.app.getHttpServer() as Server, 'connection');
      const socket = tcpConnection(app.port);
      socket.write(upgradeText('/lobby', { Authorization: 'Bearer t' }));
      const [accept] = (await accepted) as [Socket];
      const closed = new Promise((resolve) => accept.on('close', resolve));
      await called.opened;
      socket[vanish]();
      answer.open();
      await closed;
      await app.connect('/lobby', { token: 't' });
      expect(registry.size).toBe(1);
    },
  );
});

describe('maxConnectionsPerIp', () => {
  it('refuses with 429 and Retry-After, counts it, and releases the permit', async () => {
    const { app, metrics, visits } = await openLobby({ maxConnectionsPerIp: 1 });
    const gone = new Promise((resolve) => (visits.onDisconnect = resolve));
    const client = await app.connect('/lobby');
    const { status, headers } = await upgrade(app.port);
    expect([status, headers['retry-after']]).toEqual([429, '5']);
    expect(metrics.upgradesRefused.of('connections_per_ip')).toBe(1);
    client.socket.terminate();
    await gone;
    await app.connect('/lobby');
  });
});

describe('maxConnectionsPerUser', () => {
  const authenticate: Authenticate = ({ token }) => (token === undefined ? null : { userId: token });

  it('refuses one more connection of a user in the handshake with 429, and no other user', async () => {
    const { app, metrics } = await openLobby({ maxConnectionsPerUser: 1, authenticate });
    await app.connect('/lobby', { token: 'ann' });
    const { status } = await upgrade(app.port, { headers: { Authorization: 'Bearer ann' } });
    expect(status).toBe(429);
    expect(metrics.upgradesRefused.of('connections_per_user')).toBe(1);
    await app.connect('/lobby', { token: 'bob' });
  });

  it('closes one more connection of a user after $auth with 1013, and counts it', async () => {
    const { app, metrics, registry } = await openLobby({ maxConnectionsPerUser: 1, authenticate });
    await app.connect('/lobby', { token: 'ann' });
    const client = app.open('/lobby');
    client.send({ type: '$auth', id: 1, payload: { token: 'ann' } });
    await expect(client.reply(1)).rejects.toThrow('UNAVAILABLE: too many connections');
    expect(await client.closed).toEqual({ code: 1013, reason: 'retry=5000' });
    expect(registry.ofUser('ann')).toHaveLength(1);
    expect(metrics.messagesRefused.of('UNAVAILABLE')).toBe(1);
  });

  it('accepts one of many connections authenticated at the same moment', async () => {
    const answer = new Gate();
    let called = 0;
    const allCalled = new Gate();
    const { app, registry } = await openLobby({
      maxConnectionsPerUser: 1,
      authenticate: () => {
        if (++called === 10) allCalled.open();
        return answer.opened.then(() => ({ userId: 'ann' }));
      },
    });
    const attempts = Array.from({ length: 10 }, () =>
      upgradeAndStay(app.port, { Authorization: 'Bearer t' }),
    );
    await allCalled.opened;
    answer.open();
    expect((await Promise.all(attempts)).sort((a, b) => a - b)).toEqual([
      101,
      ...Array.from({ length: 9 }, () => 429),
    ]);
    expect(registry.ofUser('ann')).toHaveLength(1);
  });
});

describe('maxUnauthenticated', () => {
  const authenticate: Authenticate = ({ token }) => (token === undefined ? null : { userId: token });

  it('refuses with 503 unless the client has a token', async () => {
    const { app, metrics } = await openLobby({ maxUnauthenticated: 1, authenticate });
    const waiting = app.open('/lobby');
    await once(waiting.socket, 'open');
    const { status, headers } = await upgrade(app.port);
    expect([status, headers['retry-after']]).toEqual([503, '5']);
    expect(metrics.upgradesRefused.of('unauthenticated')).toBe(1);
    await app.connect('/lobby', { token: 'ann' });
  });

  it('releases the permit when the client sends $auth, and when it disconnects', async () => {
    const { app, metrics } = await openLobby({ maxUnauthenticated: 1, authenticate });
    const first = app.open('/lobby');
    first.send({ type: '$auth', payload: { token: 'ann' } });
    await first.hello();
    const second = app.open('/lobby');
    await once(second.socket, 'open');
    const accept = metrics.connectionsOpened.total;
    await second.close();
    const third = app.open('/lobby');
    third.send({ type: '$auth', payload: { token: 'bob' } });
    await third.hello();
    expect(metrics.connectionsOpened.total).toBe(accept + 1);
  });

  it('holds for clients authenticated at the same moment', async () => {
    const answer = new Gate();
    let called = 0;
    const allCalled = new Gate();
    const { app, metrics } = await openLobby({
      maxUnauthenticated: 2,
      maxUnauthenticatedPerIp: false,
      authenticate: () => {
        if (++called === 10) allCalled.open();
        return answer.opened.then(() => null);
      },
    });
    const attempts = Array.from({ length: 10 }, () => upgradeAndStay(app.port));
    await allCalled.opened;
    answer.open();
    const statuses = (await Promise.all(attempts)).sort((a, b) => a - b);
    expect(statuses).toEqual([101, 101, 503, 503, 503, 503, 503, 503, 503, 503]);
    expect(metrics.connectionsOpened.total).toBe(2);
  });
});

describe('maxUnauthenticatedPerIp', () => {
  const authenticate: Authenticate = ({ token }) => (token === undefined ? null : { userId: token });
  const from = (ip: string) => ({ 'X-Forwarded-For': ip });

  it('is a fifth of maxUnauthenticated by default', async () => {
    const { app, metrics } = await openLobby({
      authenticate,
      trustProxy: 'loopback',
      maxUnauthenticated: 10,
    });
    const statusOf = (ip: string) => upgradeAndStay(app.port, from(ip));
    expect([await statusOf('203.0.113.1'), await statusOf('203.0.113.1')]).toEqual([101, 101]);
    const { status, headers } = await upgrade(app.port, { headers: from('203.0.113.1') });
    expect([status, headers['retry-after']]).toEqual([429, '5']);
    expect(metrics.upgradesRefused.of('unauthenticated_per_ip')).toBe(1);
    expect(await statusOf('203.0.113.2')).toBe(101);
    await app.connect('/lobby', { token: 'ann', headers: from('203.0.113.1') });
  });

  it('counts an IPv6 client by its /64, and a mapped IPv4 address as that address', async () => {
    const { app } = await openLobby({ authenticate, trustProxy: 'loopback', maxUnauthenticatedPerIp: 1 });
    const statuses: number[] = [];
    const ips = ['2001:db8::1', '2001:db8::2:1', '2001:db8:0:1::1', '::ffff:203.0.113.1', '203.0.113.1'];
    for (const ip of ips) statuses.push(await upgradeAndStay(app.port, from(ip)));
    expect(statuses).toEqual([101, 429, 101, 101, 429]);
  });

  it('counts a client until it is authenticated or disconnected', async () => {
    const { app } = await openLobby({ authenticate, maxUnauthenticatedPerIp: 1 });
    const first = app.open('/lobby');
    first.send({ type: '$auth', payload: { token: 'ann' } });
    await first.hello();
    const second = app.open('/lobby');
    await once(second.socket, 'open');
    expect((await upgrade(app.port)).status).toBe(429);
    await second.close();
    const third = app.open('/lobby');
    third.send({ type: '$auth', payload: { token: 'bob' } });
    await third.hello();
  });

  it('false lets one IP use all of maxUnauthenticated', async () => {
    const { app } = await openLobby({ authenticate, maxUnauthenticated: 2, maxUnauthenticatedPerIp: false });
    expect([await upgradeAndStay(app.port), await upgradeAndStay(app.port)]).toEqual([101, 101]);
  });
});

it('maxConnectionsPerIp counts an IPv6 client by its /64', async () => {
  const { app } = await openLobby({ trustProxy: 'loopback', maxConnectionsPerIp: 1 });
  const statuses: number[] = [];
  for (const ip of ['2001:db8::1', '2001:db8::2', '2001:db8:0:1::1'])
    statuses.push(await upgradeAndStay(app.port, { 'X-Forwarded-For': ip }));
  expect(statuses).toEqual([101, 429, 101]);
});

/** The status of an upgrade whose socket stays open until the test is over. */
async function upgradeAndStay(port: number, headers?: Record<string, string>): Promise<number> {
  const socket = tcpConnection(port);
  socket.write(upgradeText('/lobby', headers));
  return Number((await readUntil(socket, '\r\n\r\n')).slice(9, 12));
}

/** An `authenticate` that reports its calls and returns when the test says so. */
function slowAuthentication() {
  const called = new Gate();
  const answer = new Gate();
  const authenticate: Authenticate = () => {
    called.open();
    return answer.opened.then(() => ({}));
  };
  return { called, answer, authenticate };
}
