import { Cluster } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RedisConfiguration } from '../../lib/backplane/redis/client/redis-configuration.js';
import { RedisCommands } from '../../lib/backplane/redis/client/redis-commands.js';
import { NodeLease, type LeaseSettings } from '../../lib/backplane/redis/client/node-lease.js';
import { RedisNames } from '../../lib/backplane/redis/client/redis-names.js';
import {
  MemoryConnectionCounts,
  type ConnectionCounts,
} from '../../lib/gateway/admission/connection-counts.js';
import { RedisConnectionCounts } from '../../lib/gateway/admission/redis-connection-counts.js';
import { Counter } from '../../lib/metrics/instruments.js';
import { RedisClusterServers } from '../rig/redis/cluster-servers.js';
import { RedisServer } from '../rig/redis/redis-server.js';
import { CapturedLog } from '../rig/process/captured-log.js';

let redis: RedisServer;
let clusterServers: RedisClusterServers;
let cluster: Cluster;
beforeAll(async () => {
  redis = await RedisServer.start();
  clusterServers = await RedisClusterServers.start();
  cluster = new Cluster(clusterServers.nodes, { lazyConnect: true });
}, 60_000);
afterAll(async () => {
  cluster?.disconnect();
  await clusterServers?.stop();
  await redis?.kill();
});

interface RedisNode {
  readonly counts: RedisConnectionCounts;
  readonly unshared: Counter;
  readonly log: CapturedLog;
  /** As when its process is killed: nothing is released or renewed any more. */
  die(): Promise<void>;
}

let apps = 0;
const newPrefix = () => `counts${++apps}`;

async function redisNode(
  prefix: string,
  lease: LeaseSettings = { leaseMs: 60_000, refreshMs: 20_000 },
  configuration: RedisConfiguration = redis.url,
): Promise<RedisNode> {
  const unshared = new Counter('unshared', '', 'kind');
  const log = new CapturedLog();
  const nodeLease = new NodeLease(lease);
  const commands = new RedisCommands(configuration, { failed: () => {}, ready: () => nodeLease.renew() });
  const counts = new RedisConnectionCounts(commands, new RedisNames(prefix), nodeLease, unshared, log);
  await commands.start();
  nodeLease.start();
  const die = async () => {
    nodeLease.stop();
    await commands.stop();
  };
  onTestFinished(die);
  return { counts, unshared, log, die };
}

const drivers: [string, () => Promise<ConnectionCounts>][] = [
  ['in memory', async () => new MemoryConnectionCounts()],
  ['in Redis', async () => (await redisNode(newPrefix())).counts],
  ['in a Redis Cluster', async () => (await redisNode(newPrefix(), undefined, cluster)).counts],
];

describe.each(drivers)('connection counts %s', (_name, newCounts) => {
  it('allow as many permits as the limit, separately for each user and IP', async () => {
    const counts = await newCounts();
    const take = (kind: 'ip' | 'user', key: string, id: string) => counts.acquire(kind, key, id, 2);
    expect(await take('user', 'ann', 'c1')).toBe(true);
    expect(await take('user', 'ann', 'c2')).toBe(true);
    expect(await take('user', 'ann', 'c3')).toBe(false);
    expect(await take('user', 'bob', 'c4')).toBe(true);
    expect(await take('ip', 'ann', 'c5')).toBe(true);
  });

  it('give out exactly the free permits to 50 concurrent requests', async () => {
    const counts = await newCounts();
    const requested = Array.from({ length: 50 }, async (_, i) => counts.acquire('user', 'ann', `c${i}`, 7));
    expect((await Promise.all(requested)).filter(Boolean)).toHaveLength(7);
  });

  it('a released permit can be acquired once more', async () => {
    const counts = await newCounts();
    await counts.acquire('ip', '::1', 'c1', 1);
    counts.release('ip', '::1', 'c1');
    expect(await counts.acquire('ip', '::1', 'c2', 1)).toBe(true);
    expect(await counts.acquire('ip', '::1', 'c3', 1)).toBe(false);
  });

  it('a refusal acquires nothing', async () => {
    const counts = await newCounts();
    await counts.acquire('user', 'ann', 'c1', 1);
    for (const id of ['c2', 'c3']) expect(await counts.acquire('user', 'ann', id, 1)).toBe(false);
    counts.release('user', 'ann', 'c1');
    expect(await counts.acquire('user', 'ann', 'c4', 1)).toBe(true);
  });
});

describe('connection counts in Redis', () => {
  it('count all nodes, also for concurrent requests', async () => {
    const prefix = newPrefix();
    const nodes = await Promise.all([redisNode(prefix), redisNode(prefix), redisNode(prefix)]);
    const requested = Array.from({ length: 60 }, async (_, i) =>
      (nodes[i % 3] as RedisNode).counts.acquire('user', 'ann', `c${i}`, 5),
    );
    expect((await Promise.all(requested)).filter(Boolean)).toHaveLength(5);
  });

  it('of a dead node are released when its lease expires, and leave no key', async () => {
    const prefix = newPrefix();
    const lease = { leaseMs: 2_000, refreshMs: 100 };
    const [dying, living] = [await redisNode(prefix, lease), await redisNode(prefix, lease)];
    await dying.counts.acquire('user', 'ann', 'c1', 1);
    await dying.counts.acquire('user', 'bob', 'c2', 1);
    await dying.die();
    expect(await living.counts.acquire('user', 'ann', 'c3', 1)).toBe(false);
    await expect.poll(() => living.counts.acquire('user', 'ann', 'c4', 1), { timeout: 10_000 }).toBe(true);
    living.counts.release('user', 'ann', 'c4');
    await expect.poll(() => redis.call('KEYS', `${prefix}:*`), { timeout: 10_000 }).toEqual([]);
  });

  it('of a live node outlast one lease', async () => {
    const prefix = newPrefix();
    const lease = { leaseMs: 2_000, refreshMs: 50 };
    const [here, there] = [await redisNode(prefix, lease), await redisNode(prefix, lease)];
    // More than fits one script, in many slots.
    const users = Array.from({ length: 500 }, (_, i) => `u${i}`);
    await Promise.all(users.map(async (user) => here.counts.acquire('user', user, `c-${user}`, 1)));
    const end = async () =>
      Number(
        await redis.call(
          'ZSCORE',
          new RedisNames(prefix).key('u499', 'connections', 'user', 'u499'),
          'c-u499',
        ),
      );
    const first = await end();
    await expect.poll(end, { timeout: 10_000 }).toBeGreaterThan(first + lease.leaseMs + 1_000);
    const taken = await Promise.all(
      users.map(async (user) => there.counts.acquire('user', user, `d-${user}`, 1)),
    );
    expect(taken.filter(Boolean)).toEqual([]);
  });

  it('are renewed on every master of a Redis Cluster', async () => {
    const prefix = newPrefix();
    const lease = { leaseMs: 2_000, refreshMs: 100 };
    const { counts, log } = await redisNode(prefix, lease, cluster);
    const users = Array.from({ length: 300 }, (_, i) => `u${i}`);
    await Promise.all(users.map(async (user) => counts.acquire('user', user, `c-${user}`, 1)));
    const ends = async () => {
      const found = users.map((user) =>
        cluster.zscore(new RedisNames(prefix).key(user, 'connections', 'user', user), `c-${user}`),
      );
      return Math.min(...(await Promise.all(found)).map(Number));
    };
    const first = await ends();
    await expect.poll(ends, { timeout: 10_000 }).toBeGreaterThan(first + 2 * lease.leaseMs);
    for (const master of clusterServers.masters) expect(await master.call('DBSIZE')).toBeGreaterThan(0);
    expect(log.text).toBe('');
  });

  it('always expire, even if every node dies', async () => {
    const prefix = newPrefix();
    const { counts } = await redisNode(prefix);
    await Promise.all(['ann', 'bob'].map(async (user) => counts.acquire('user', user, `c-${user}`, 3)));
    const keys = (await redis.call('KEYS', `${prefix}:*`)) as string[];
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      const left = await redis.call('PTTL', key);
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(60_000);
    }
  });
});

describe('connection counts while Redis is down', () => {
  it('are local to the node, which logs that, and shared again when Redis is back', async () => {
    const prefix = newPrefix();
    const [here, there] = [await redisNode(prefix), await redisNode(prefix)];
    await here.counts.acquire('user', 'ann', 'c1', 2);
    await redis.kill();
    onTestFinished(() => redis.kill().then(() => redis.start()));
    expect(await here.counts.acquire('user', 'ann', 'c2', 2)).toBe(true);
    expect(await here.counts.acquire('user', 'ann', 'c3', 2)).toBe(false);
    expect(await there.counts.acquire('user', 'ann', 'd1', 2)).toBe(true);
    expect(here.unshared.of('user')).toBe(1);
    expect(here.log.text).toContain('connection limits hold for this node alone');

    await redis.start();
    const name = new RedisNames(prefix).key('ann', 'connections', 'user', 'ann');
    const members = async () => ((await redis.call('ZRANGE', name, 0, -1)) as string[]).sort();
    await expect.poll(members, { timeout: 10_000 }).toEqual(['c1', 'c2', 'd1']);
    expect(await there.counts.acquire('user', 'ann', 'd2', 3)).toBe(false);
  });

  it('decide within the command timeout if Redis does not reply', async () => {
    const { counts } = await redisNode(newPrefix());
    redis.signal('SIGSTOP');
    onTestFinished(() => redis.signal('SIGCONT'));
    const startedAt = performance.now();
    expect(await counts.acquire('user', 'ann', 'c1', 1)).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(4_500);
    // The silent connection is closed, so the next request does not wait for it.
    const again = performance.now();
    expect(await counts.acquire('user', 'bob', 'c2', 1)).toBe(true);
    expect(performance.now() - again).toBeLessThan(500);
  });
});
