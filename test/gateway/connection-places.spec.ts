import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RedisCommands } from '../../lib/backplane/redis-commands.js';
import { RedisNames } from '../../lib/backplane/redis-names.js';
import { MemoryPlaces, type ConnectionPlaces } from '../../lib/gateway/connection-places.js';
import { RedisPlaces, type LeaseSettings } from '../../lib/gateway/redis-connection-places.js';
import { Counter } from '../../lib/metrics/instruments.js';
import { CapturedLog } from '../e2e/captured-log.js';
import { RedisProcess } from './redis-process.js';

let redis: RedisProcess;
beforeAll(async () => {
  redis = await RedisProcess.start();
});
afterAll(() => redis?.stop());

interface RedisNode {
  readonly places: RedisPlaces;
  readonly unshared: Counter;
  readonly log: CapturedLog;
  /** As when its process is killed: nothing is given back or renewed any more. */
  die(): Promise<void>;
}

let apps = 0;
const newPrefix = () => `places${++apps}`;

async function redisNode(
  prefix: string,
  lease: LeaseSettings = { leaseMs: 60_000, refreshMs: 20_000 },
): Promise<RedisNode> {
  const unshared = new Counter('unshared', '', 'kind');
  const log = new CapturedLog();
  const commands = new RedisCommands(redis.url, { failed: () => {}, ready: () => places.renew() });
  const places: RedisPlaces = new RedisPlaces(commands, new RedisNames(prefix), lease, unshared, log);
  await commands.start();
  places.start();
  const die = async () => {
    places.stop();
    await commands.stop();
  };
  onTestFinished(die);
  return { places, unshared, log, die };
}

const drivers: [string, () => Promise<ConnectionPlaces>][] = [
  ['in memory', async () => new MemoryPlaces()],
  ['in Redis', async () => (await redisNode(newPrefix())).places],
];

describe.each(drivers)('places %s', (_name, newPlaces) => {
  it('there are as many as the limit says, for each user and each IP apart', async () => {
    const places = await newPlaces();
    const take = (kind: 'ip' | 'user', key: string, id: string) => places.take(kind, key, id, 2);
    expect(await take('user', 'ann', 'c1')).toBe(true);
    expect(await take('user', 'ann', 'c2')).toBe(true);
    expect(await take('user', 'ann', 'c3')).toBe(false);
    expect(await take('user', 'bob', 'c4')).toBe(true);
    expect(await take('ip', 'ann', 'c5')).toBe(true);
  });

  it('of 50 that ask at the same moment as many get one as there are', async () => {
    const places = await newPlaces();
    const asked = Array.from({ length: 50 }, (_, i) => places.take('user', 'ann', `c${i}`, 7));
    expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(7);
  });

  it('one that is given back can be taken again, and no second time', async () => {
    const places = await newPlaces();
    await places.take('ip', '::1', 'c1', 1);
    places.giveBack('ip', '::1', 'c1');
    expect(await places.take('ip', '::1', 'c2', 1)).toBe(true);
    expect(await places.take('ip', '::1', 'c3', 1)).toBe(false);
  });

  it('a refusal takes nothing', async () => {
    const places = await newPlaces();
    await places.take('user', 'ann', 'c1', 1);
    for (const id of ['c2', 'c3']) expect(await places.take('user', 'ann', id, 1)).toBe(false);
    places.giveBack('user', 'ann', 'c1');
    expect(await places.take('user', 'ann', 'c4', 1)).toBe(true);
  });
});

describe('places in Redis', () => {
  it('are counted over all nodes, also when all ask at the same moment', async () => {
    const prefix = newPrefix();
    const nodes = await Promise.all([redisNode(prefix), redisNode(prefix), redisNode(prefix)]);
    const asked = Array.from({ length: 60 }, (_, i) =>
      (nodes[i % 3] as RedisNode).places.take('user', 'ann', `c${i}`, 5),
    );
    expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(5);
  });

  it('of a node that has died are free again after their lease, and leave no key behind', async () => {
    const prefix = newPrefix();
    const lease = { leaseMs: 400, refreshMs: 100 };
    const [dying, living] = [await redisNode(prefix, lease), await redisNode(prefix, lease)];
    await dying.places.take('user', 'ann', 'c1', 1);
    await dying.places.take('user', 'bob', 'c2', 1);
    await dying.die();
    expect(await living.places.take('user', 'ann', 'c3', 1)).toBe(false);
    await expect.poll(() => living.places.take('user', 'ann', 'c4', 1), { timeout: 5_000 }).toBe(true);
    living.places.giveBack('user', 'ann', 'c4');
    const look = redis.client();
    onTestFinished(() => look.disconnect());
    await expect.poll(() => look.keys(`${prefix}:*`), { timeout: 5_000 }).toEqual([]);
  });

  it('are kept for longer than a lease by a node that lives', async () => {
    const prefix = newPrefix();
    const lease = { leaseMs: 300, refreshMs: 50 };
    const [here, there] = [await redisNode(prefix, lease), await redisNode(prefix, lease)];
    // More than one script's worth, over many slots.
    const users = Array.from({ length: 500 }, (_, i) => `u${i}`);
    await Promise.all(users.map((user) => here.places.take('user', user, `c-${user}`, 1)));
    const look = redis.client();
    onTestFinished(() => look.disconnect());
    const end = async () =>
      Number(await look.zscore(new RedisNames(prefix).connections('user', 'u499'), 'c-u499'));
    const first = await end();
    await expect.poll(end, { timeout: 5_000 }).toBeGreaterThan(first + 3 * lease.leaseMs);
    const taken = await Promise.all(users.map((user) => there.places.take('user', user, `d-${user}`, 1)));
    expect(taken.filter(Boolean)).toEqual([]);
  });

  it('always expire, whatever happens to the nodes', async () => {
    const prefix = newPrefix();
    const { places } = await redisNode(prefix);
    await Promise.all(['ann', 'bob'].map((user) => places.take('user', user, `c-${user}`, 3)));
    const look = redis.client();
    onTestFinished(() => look.disconnect());
    const keys = await look.keys(`${prefix}:*`);
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      const left = await look.pttl(key);
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(60_000);
    }
  });
});

describe('places while Redis is away', () => {
  it('are counted by this node alone, which says so, and by all again when Redis is back', async () => {
    const prefix = newPrefix();
    const [here, there] = [await redisNode(prefix), await redisNode(prefix)];
    await here.places.take('user', 'ann', 'c1', 2);
    await redis.stop();
    onTestFinished(() => redis.stop().then(() => redis.resume()));
    expect(await here.places.take('user', 'ann', 'c2', 2)).toBe(true);
    expect(await here.places.take('user', 'ann', 'c3', 2)).toBe(false);
    expect(await there.places.take('user', 'ann', 'd1', 2)).toBe(true);
    expect(here.unshared.of('user')).toBe(1);
    expect(here.log.text).toContain('connection limits hold for this node alone');

    await redis.resume();
    const look = redis.client();
    onTestFinished(() => look.disconnect());
    const name = new RedisNames(prefix).connections('user', 'ann');
    const members = async () => (await look.zrange(name, '0', '-1')).sort();
    await expect.poll(members, { timeout: 10_000 }).toEqual(['c1', 'c2', 'd1']);
    expect(await there.places.take('user', 'ann', 'd2', 3)).toBe(false);
  });

  it('are decided within the time a command may take when Redis says nothing', async () => {
    const { places } = await redisNode(newPrefix());
    redis.signal('SIGSTOP');
    onTestFinished(() => redis.signal('SIGCONT'));
    const startedAt = performance.now();
    expect(await places.take('user', 'ann', 'c1', 1)).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(4_500);
    // The connection that said nothing is given up: nobody waits for it a second time.
    const again = performance.now();
    expect(await places.take('user', 'bob', 'c2', 1)).toBe(true);
    expect(performance.now() - again).toBeLessThan(500);
  });
});
