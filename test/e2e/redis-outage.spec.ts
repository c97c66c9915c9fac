import { RealtimeHealth } from 'nestjs-realtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RedisServer } from '../rig/redis/redis-server.js';
import { until } from '../rig/clock/until.js';
import { openLobby, type Lobby } from '../gateway/lobby.js';

const MINUTE_MS = 60_000;
const said = (text: string) => ({ type: 'said', payload: { text } }) as const;

let redis: RedisServer;
beforeEach(async () => {
  redis = await RedisServer.start();
});
afterEach(() => redis?.kill());

/** A node whose clients are in the room `hall` from the beginning. */
async function openHall(): Promise<Lobby> {
  const lobby = await openLobby({
    redis: redis.url,
    authenticate: ({ token }) => ({ userId: token ?? 'guest' }),
  });
  lobby.visits.onConnect = async (connection) => {
    await connection.join('hall');
    await connection.join(`own:${connection.userId}`);
  };
  return lobby;
}

const healthOf = ({ app }: Lobby) => app.get(RealtimeHealth).report();

describe('while Redis is down', () => {
  it(
    'new clients connect, join their rooms, and receive from the other node once Redis is back',
    async () => {
      const [here, there] = [await openHall(), await openHall()];
      await redis.kill();
      const begun = performance.now();
      const client = await here.app.connect('/lobby', { token: 'ann' });
      expect(performance.now() - begun).toBeLessThan(2_500);
      expect(healthOf(here).pendingSubscriptions).toBeGreaterThanOrEqual(3);

      const receipt = await here.broadcaster.sendToRoom('hall', said('local'));
      expect(receipt).toMatchObject({ delivered: 1, scope: 'node', failure: 'unavailable' });
      expect(await client.next()).toMatchObject(said('local'));
      expect(await here.broadcaster.sendToUser('ann', said('to ann'))).toMatchObject({ delivered: 1 });
      expect(await client.next()).toMatchObject(said('to ann'));
      expect(await here.broadcaster.joinRoom('ann', 'kitchen')).toMatchObject({
        delivered: 1,
        missingNodes: 1,
        failure: 'unavailable',
      });
      expect(await here.broadcaster.sendToRoom('kitchen', said('soup'))).toMatchObject({ delivered: 1 });
      expect(await client.next()).toMatchObject(said('soup'));

      await redis.start();
      await until('the subscriptions are confirmed', () => healthOf(here).pendingSubscriptions === 0);
      for (const room of ['hall', 'own:ann', 'kitchen']) {
        await until(`the other node reaches ${room}`, async () => {
          const { nodes } = await there.broadcaster.sendToRoom(room, said(room));
          return nodes === 1;
        });
        expect(await client.next()).toMatchObject(said(room));
      }
      await until('the node is up', () => healthOf(here).status === 'up');
      expect((await there.broadcaster.sendToUser('ann', said('from there'))).nodes).toBe(1);
      expect(await client.next()).toMatchObject(said('from there'));
    },
    MINUTE_MS,
  );

  it(
    'a join waits at most a second for Redis, and the next ones do not wait',
    async () => {
      const lobby = await openHall();
      const client = await lobby.app.connect('/lobby', { token: 'ann' });
      const [connection] = lobby.visits.connected;
      redis.signal('SIGSTOP');
      try {
        const begun = performance.now();
        await connection?.join('first');
        const first = performance.now() - begun;
        for (let i = 0; i < 20; i++) await connection?.join(`room${i}`);
        expect(first).toBeGreaterThan(900);
        expect(first).toBeLessThan(2_000);
        expect(performance.now() - begun - first).toBeLessThan(200);
        expect(healthOf(lobby).pendingSubscriptions).toBe(21);
      } finally {
        redis.signal('SIGCONT');
      }
      await until('all are confirmed', () => healthOf(lobby).pendingSubscriptions === 0);
      expect(client.socket.readyState).toBe(1);
    },
    MINUTE_MS,
  );
});

describe('when Redis goes down', () => {
  it(
    'confirmed subscriptions count as pending until they are confirmed again',
    async () => {
      const lobby = await openHall();
      await lobby.app.connect('/lobby', { token: 'ann' });
      expect(healthOf(lobby).pendingSubscriptions).toBe(0);
      await redis.kill();
      await until('the node is down', () => healthOf(lobby).status === 'down');
      expect(healthOf(lobby).pendingSubscriptions).toBeGreaterThanOrEqual(5);
      await redis.start();
      await until('all are confirmed', () => healthOf(lobby).pendingSubscriptions === 0);
    },
    MINUTE_MS,
  );
});

describe('a node that starts while Redis is down', () => {
  it(
    'serves its own clients, and logs down once and up once',
    async () => {
      await redis.kill();
      const begun = performance.now();
      const lobby = await openHall();
      expect(performance.now() - begun).toBeLessThan(6_000);
      expect(healthOf(lobby).status).toBe('down');
      expect(lobby.log.text).toContain(`Realtime backplane: ${redis.url} (standalone)`);

      const client = await lobby.app.connect('/lobby', { token: 'ann' });
      expect((await lobby.broadcaster.sendToRoom('hall', said('local'))).delivered).toBe(1);
      expect(await client.next()).toMatchObject(said('local'));
      await until('each connection has failed often', () => lobby.metrics.backplane.failures.total >= 12);
      const fault = lobby.log.lines.filter(({ text }) => /redis: /.test(text));
      expect(fault.map(({ level }) => level)).toEqual(['warn', 'error']);
      expect(fault[0]?.text).toContain('ECONNREFUSED');
      expect(fault[1]?.text).toContain('redis: down');

      await redis.start();
      await until('the node is up', () => healthOf(lobby).status === 'up');
      await until('the subscriptions are confirmed', () => healthOf(lobby).pendingSubscriptions === 0);
      expect(lobby.log.of('log').filter((text) => /redis: up/.test(text))).toHaveLength(1);
    },
    MINUTE_MS,
  );
});

describe('a node that loses Redis', () => {
  it(
    'logs the fault of its three connections once, and down and up once each',
    async () => {
      const lobby = await openHall();
      await redis.kill();
      const { total } = lobby.metrics.backplane.failures;
      await until('it is down', () => healthOf(lobby).status === 'down', 20_000);
      await until(
        'each connection has failed often',
        () => lobby.metrics.backplane.failures.total > total + 12,
      );
      await redis.start();
      await until('the node is up', () => healthOf(lobby).status === 'up');
      const lines = lobby.log.lines.filter(({ level, text }) => level !== 'debug' && /redis: /.test(text));
      expect(lines.map(({ text }) => text.replace(/ Realtime$/, ''))).toEqual([
        'redis: up',
        expect.stringContaining('ECONNREFUSED'),
        expect.stringContaining('redis: down'),
        expect.stringMatching(/^redis: up again after \d+ s$/),
      ]);
    },
    MINUTE_MS,
  );
});
