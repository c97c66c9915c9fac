import { once } from 'node:events';
import type { Server } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RealtimeHealth } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { Gate } from '../rig/clock/gate.js';
import { openLobby } from './lobby.js';
import { upgradeText } from '../rig/sockets/client-bytes.js';
import { readUntil, tcpConnection, upgrade } from '../rig/sockets/upgrade-request.js';

const platforms = [
  ['Express', () => ({})],
  ['Fastify', () => ({ adapter: new FastifyAdapter() })],
] as const;

describe.each(platforms)('app.close() on %s', (_platform, extras) => {
  it('tells each client when to reconnect, closes it with 1012, and ends', async () => {
    const { app, registry, visits } = await openLobby({}, extras());
    const clients = await Promise.all(Array.from({ length: 20 }, () => app.connect('/lobby')));
    const closing = app.app.close();
    for (const client of clients) {
      const { payload } = await client.nextOfType('$goaway');
      expect((payload as { reconnectAfterMs: number }).reconnectAfterMs).toBeLessThan(20);
      expect(await client.closed).toEqual({ code: 1012, reason: 'the server is restarting' });
    }
    await closing;
    expect(registry.size).toBe(0);
    expect(visits.disconnected.map(({ code }) => code)).toEqual(Array.from({ length: 20 }, () => 1012));
  });

  it('refuses new clients with 503 and Retry-After, and is not ready any more', async () => {
    const { app, visits, metrics } = await openLobby({}, extras());
    const health = app.get(RealtimeHealth);
    const late = new Gate();
    const client = await app.connect('/lobby');
    expect(health.isReady).toBe(true);
    expect(health.report()).toMatchObject({ status: 'up', connections: 1 });
    visits.onDisconnect = () => late.opened;
    const closing = app.app.close();
    await client.closed;
    const { status, headers, body } = await upgrade(app.port);
    expect([status, headers['retry-after'], body]).toEqual([503, '1', 'the server is restarting']);
    expect(metrics.upgradesRefused.of('draining')).toBe(1);
    expect([health.isReady, health.report().status]).toEqual([false, 'draining']);
    late.open();
    await closing;
  });

  it('removes its upgrade listener from the HTTP server', async () => {
    const { app } = await openLobby({}, extras());
    const server = app.app.getHttpServer() as Server;
    expect(server.listenerCount('upgrade')).toBe(1);
    expect(Object.hasOwn(server, 'emit')).toBe(true);
    await app.app.close();
    expect(server.listenerCount('upgrade')).toBe(0);
    expect(Object.hasOwn(server, 'emit')).toBe(false);
    expect(server.listening).toBe(false);
  });
});

it('the reconnect times are spread over a window sized by the number of clients, and each client is closed after its own', async () => {
  const { app } = await openLobby({ drain: { reconnectsPerSecond: 400 } });
  const clients = await Promise.all(Array.from({ length: 200 }, () => app.connect('/lobby')));
  const startedAt = performance.now();
  const ends = clients.map(async (client) => {
    const { payload } = await client.nextOfType('$goaway');
    const { reconnectAfterMs } = payload as { reconnectAfterMs: number };
    const { code } = await client.closed;
    return { reconnectAfterMs, code, closedAfterMs: performance.now() - startedAt };
  });
  const [closed] = await Promise.all([Promise.all(ends), app.app.close()]);
  const fifths = [0, 0, 0, 0, 0];
  for (const { reconnectAfterMs, code, closedAfterMs } of closed) {
    expect(code).toBe(1012);
    expect(closedAfterMs).toBeGreaterThanOrEqual(reconnectAfterMs);
    fifths[Math.floor(reconnectAfterMs / 100)]!++;
  }
  // 40 are expected in each; fewer than 15 happen once in a million drains.
  expect(Math.min(...fifths)).toBeGreaterThanOrEqual(15);
});

it('each of ten clients may stay a tenth of the deadline after its time', async () => {
  const { app } = await openLobby({ drain: { timeoutMs: 3_000 } });
  const clients = await Promise.all(Array.from({ length: 10 }, () => app.connect('/lobby')));
  const startedAt = performance.now();
  const stays = clients.map(async (client) => {
    await client.closed;
    return performance.now() - startedAt;
  });
  await app.app.close();
  for (const stay of await Promise.all(stays)) expect(stay).toBeGreaterThan(295);
});

it.each([
  ['less than it takes', { reconnectsPerSecond: 100, timeoutMs: 1_000 }],
  ['next to none', { reconnectsPerSecond: 1, timeoutMs: 300 }],
  ['a rate that divides unevenly', { reconnectsPerSecond: 1_003, timeoutMs: 1_000 }],
])('a deadline of %s still closes everyone with 1012', async (_name, drain) => {
  const { app } = await openLobby({ drain });
  const clients = await Promise.all(Array.from({ length: 120 }, () => app.connect('/lobby')));
  await app.app.close();
  const codes = await Promise.all(clients.map(({ closed }) => closed.then(({ code }) => code)));
  expect(codes).toEqual(Array.from({ length: 120 }, () => 1012));
});

it('a peer that never completes the close is terminated at the deadline, and its handleDisconnect runs', async () => {
  const { app, visits } = await openLobby({ drain: { timeoutMs: 200 }, closeTimeoutMs: 60_000 });
  const socket = tcpConnection(app.port);
  const hello = readUntil(socket, '$hello');
  socket.write(upgradeText());
  await hello;
  const startedAt = performance.now();
  await app.app.close();
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(195);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
  expect(visits.disconnected).toEqual([{ code: 1006, reason: '' }]);
});

it('hooks are awaited, but no longer than the deadline', async () => {
  const { app, visits, log } = await openLobby({ drain: { timeoutMs: 1_200 } });
  visits.onDisconnect = () => new Promise(() => {});
  await app.connect('/lobby');
  const startedAt = performance.now();
  await app.app.close();
  expect(performance.now() - startedAt).toBeGreaterThan(1_000);
  expect(performance.now() - startedAt).toBeLessThan(2_500);
  expect(log.of('warn').join()).toContain('gateway hooks that still run');
});

it('a handleConnection that hangs does not block app.close()', async () => {
  const { app, visits } = await openLobby({ drain: { timeoutMs: 300 } });
  visits.onConnect = () => new Promise(() => {});
  const client = app.open('/lobby');
  await once(client.socket, 'open');
  await app.app.close();
  expect((await client.closed).code).toBe(1012);
});

it('drain: false tells everyone at once and still closes with 1012', async () => {
  const { app } = await openLobby({ drain: false });
  const clients = await Promise.all(Array.from({ length: 50 }, () => app.connect('/lobby')));
  await app.app.close();
  for (const client of clients) {
    expect((await client.nextOfType('$goaway')).payload).toEqual({ reconnectAfterMs: 0 });
    expect((await client.closed).code).toBe(1012);
  }
});

it('closing twice drains once', async () => {
  const { app } = await openLobby();
  const client = await app.connect('/lobby');
  await Promise.all([app.close(), app.app.close()]);
  expect(client.frames.filter(({ type }) => type === '$goaway')).toHaveLength(1);
});
