import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RedisNode } from '../rig/redis/redis-node.js';
import type { RedisServer } from '../rig/redis/redis-server.js';
import { SentinelGroup } from '../rig/redis/sentinel-group.js';
import { until } from '../rig/clock/until.js';

describe('RedisBackplane on a Sentinel group', () => {
  const nodes: RedisNode[] = [];
  const channels = Array.from({ length: 500 }, (_, i) => `user:${i}`);
  let group: SentinelGroup;

  async function node(id: string): Promise<RedisNode> {
    const made = new RedisNode(group.options, id);
    nodes.push(made);
    return made.start();
  }

  async function subscribedOn(server: RedisServer): Promise<number> {
    return ((await server.call('PUBSUB', 'CHANNELS', '*:c:user:*')) as string[]).length;
  }

  async function newMaster(old: RedisServer): Promise<RedisServer> {
    let master: RedisServer | undefined;
    await until(
      'there is a new master',
      async () => {
        master = await group.master();
        return master !== undefined && master !== old;
      },
      40_000,
    );
    return master as RedisServer;
  }

  beforeAll(async () => {
    group = await SentinelGroup.start();
  }, 60_000);
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ backplane }) => backplane.stop()));
  });
  afterAll(async () => {
    await group.stop();
  });

  it('moves every subscription to the new master when the old one lives on as a replica', async () => {
    const [publisher, subscriber] = [await node('a'), await node('b')];
    await subscriber.subscribe(...channels);
    const old = (await group.master()) as RedisServer;
    expect(await subscribedOn(old)).toBe(500);
    await group.failover();
    const master = await newMaster(old);
    await until('all are subscribed there', async () => (await subscribedOn(master)) === 500, 30_000);
    await until('messages arrive', async () => {
      await publisher.publish('user:499', 'after').catch(() => {});
      return subscriber.types.includes('after');
    });
    expect(await subscribedOn(old)).toBe(0);
  }, 90_000);

  it('moves them when the old master was killed', async () => {
    const [publisher, subscriber] = [await node('a'), await node('b')];
    await subscriber.subscribe(...channels);
    const old = (await group.master()) as RedisServer;
    await old.kill();
    const failure: unknown = await publisher.publish('user:1', 'lost').catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'BackplaneError' });
    const master = await newMaster(old);
    await until('all are subscribed there', async () => (await subscribedOn(master)) === 500, 30_000);
    await Promise.all([publisher.until('up'), subscriber.until('up')]);
    await until('messages arrive', async () => {
      await publisher.publish('user:499', 'after').catch(() => {});
      return subscriber.types.includes('after');
    });
    await old.start();
  }, 90_000);
});
