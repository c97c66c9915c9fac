import { RealtimeHealth, TicketService, type RealtimeOptions } from 'nestjs-realtime';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openLobby, type Lobby } from '../gateway/lobby.js';
import { RedisServer } from '../rig/redis/redis-server.js';
import { upgrade } from '../rig/sockets/upgrade-request.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start();
});
afterAll(() => redis?.kill());

let apps = 0;

/** Two nodes of one app. */
async function openTwoLobbies(options: RealtimeOptions): Promise<[Lobby, Lobby]> {
  const shared: RealtimeOptions = {
    ...options,
    redis: redis.url,
    redisPrefix: `admission${++apps}`,
    authenticate: ({ token }) => (token === undefined ? null : { userId: token }),
  };
  return [await openLobby(shared), await openLobby(shared)];
}

const statusOf = async ({ app }: Lobby, user: string) =>
  (await upgrade(app.port, { headers: { Authorization: `Bearer ${user}` } })).status;

describe('two nodes with redis', () => {
  it('accept one of 20 clients with the same ticket, on either node', async () => {
    const lobbies = await openTwoLobbies({});
    const ticket = await lobbies[0].app.get(TicketService).issue({ userId: 'ann' });
    const arrivals = Array.from({ length: 20 }, (_, i) => (lobbies[i % 2] ?? lobbies[0]).app.port);
    const upgrades = arrivals.map((port) => upgrade(port, { path: `/lobby?ticket=${ticket}` }));
    const statuses = (await Promise.all(upgrades)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 101)).toHaveLength(1);
    expect(statuses.filter((status) => status === 401)).toHaveLength(19);
  });

  it('count the connections of a user together, and release them', async () => {
    const [here, there] = await openTwoLobbies({ maxConnectionsPerUser: 2 });
    const first = await here.app.connect('/lobby', { token: 'ann' });
    await there.app.connect('/lobby', { token: 'ann' });
    expect([await statusOf(here, 'ann'), await statusOf(there, 'ann')]).toEqual([429, 429]);
    await there.app.connect('/lobby', { token: 'bob' });
    await first.close();
    await expect
      .poll(() =>
        there.app
          .open('/lobby', { token: 'ann' })
          .hello()
          .catch(() => null),
      )
      .toMatchObject({
        userId: 'ann',
      });
    expect(await statusOf(here, 'ann')).toBe(429);
  });

  it('count the connections of an IP together', async () => {
    const [here, there] = await openTwoLobbies({ maxConnectionsPerIp: 1 });
    await here.app.connect('/lobby', { token: 'ann' });
    expect(await statusOf(there, 'bob')).toBe(429);
  });

  it('accept one of many connections of one user that send $auth at the same moment on both', async () => {
    const lobbies = await openTwoLobbies({ maxConnectionsPerUser: 1 });
    const clients = Array.from({ length: 10 }, (_, i) => (lobbies[i % 2] ?? lobbies[0]).app.open('/lobby'));
    for (const client of clients) client.send({ type: '$auth', payload: { token: 'ann' } });
    const outcomes = clients.map((client) =>
      Promise.race([client.hello().then(() => 'in'), client.closed.then(({ code }) => code)]),
    );
    const settled = await Promise.all(outcomes);
    expect(settled.filter((outcome) => outcome === 'in')).toHaveLength(1);
    expect(settled.filter((outcome) => outcome === 1013)).toHaveLength(9);
  });

  it('leave nothing in Redis once every client has disconnected', async () => {
    const [here, there] = await openTwoLobbies({ maxConnectionsPerUser: 5, maxConnectionsPerIp: 50 });
    const clients = [
      await here.app.connect('/lobby', { token: 'ann' }),
      await there.app.connect('/lobby', { token: 'ann' }),
    ];
    const keys = () => redis.call('KEYS', `admission${apps}:*`);
    expect(await keys()).toHaveLength(2);
    for (const client of clients) await client.close();
    await expect.poll(keys).toEqual([]);
  });

  it('use their own counts while Redis is down', async () => {
    const [here, there] = await openTwoLobbies({ maxConnectionsPerUser: 1 });
    await here.app.connect('/lobby', { token: 'ann' });
    await redis.kill();
    onTestFinished(() => redis.kill().then(() => redis.start()));
    expect(await statusOf(here, 'ann')).toBe(429);
    expect(await statusOf(there, 'ann')).toBe(101);
    expect(there.metrics.limitsUnshared.of('user')).toBe(1);
    const ticket = 'a'.repeat(32);
    const { status } = await upgrade(here.app.port, { path: `/lobby?ticket=${ticket}` });
    expect(status).toBe(503);
  });
});

describe('a node with redis', () => {
  it('starts while Redis is down, reports down, and reports up once Redis is reachable', async () => {
    const own = await RedisServer.start();
    onTestFinished(() => own.kill());
    await own.kill();
    const { app } = await openLobby({ redis: own.url });
    const health = app.get(RealtimeHealth);
    expect(health.report().status).toBe('down');
    await own.start();
    await expect.poll(() => health.report().status, { timeout: 15_000 }).toBe('up');
    await app.connect('/lobby');
  }, 40_000);
});
