import { Cluster } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RedisNames } from '../../lib/backplane/redis/client/redis-names.js';
import { slotOf } from '../../lib/backplane/redis/cluster/slot-map.js';
import { describeBackplane } from './backplane-contract.js';
import { RedisClusterServers } from '../rig/redis/cluster-servers.js';
import { FaultyProxy } from '../rig/network/faulty-proxy.js';
import { PREFIX, RedisNode } from '../rig/redis/redis-node.js';
import type { RedisServer } from '../rig/redis/redis-server.js';
import { until } from '../rig/clock/until.js';

describeBackplane('RedisBackplane on a Redis Cluster', async () => {
  const servers = await RedisClusterServers.start();
  const given = new Cluster(servers.nodes, { lazyConnect: true });
  const all = (act: (server: RedisServer) => unknown) => Promise.all(servers.masters.map(act));
  return {
    backplane: (nodeId) => new RedisNode(given, nodeId).backplane,
    outage: {
      begin: async () => void (await all((server) => server.kill())),
      end: async () => {
        await all((server) => server.start());
        await until('the cluster is whole again', async () =>
          String(await servers.masters[0]?.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
        );
      },
    },
    stop: async () => {
      given.disconnect();
      await servers.stop();
    },
  };
});

describe('RedisBackplane on a Redis Cluster', () => {
  let servers: RedisClusterServers;
  let given: Cluster;
  const nodes: RedisNode[] = [];
  const nameOf = (channel: string) => new RedisNames(PREFIX).channel(channel);

  async function node(id: string): Promise<RedisNode> {
    const made = new RedisNode(given, id);
    nodes.push(made);
    return made.start();
  }

  beforeAll(async () => {
    servers = await RedisClusterServers.start({ replicas: true });
    given = new Cluster(servers.nodes, { lazyConnect: true });
  }, 60_000);
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ backplane }) => backplane.stop()));
  });
  afterAll(async () => {
    given.disconnect();
    await servers.stop();
  });

  it('knows the slot of a name as Redis does', async () => {
    const names = ['a', '{}a', '{x}a', 'a{x}{y}', '}{z}', '{', '{{b}}', '{caf\u00e9}', nameOf('user:1'), ''];
    for (const name of names) {
      expect(await servers.masters[0]?.call('CLUSTER', 'KEYSLOT', name)).toBe(slotOf(name));
    }
  });

  it('spreads the partitions evenly over three masters', async () => {
    const slots = new RedisNames(PREFIX).probes('n').map(slotOf);
    expect(new Set(slots).size).toBe(128);
    for (const third of [0, 1, 2]) {
      const share = slots.filter((slot) => Math.floor((slot * 3) / 16_384) === third).length;
      expect(share).toBeGreaterThanOrEqual(42);
      expect(share).toBeLessThanOrEqual(43);
    }
  });

  it('subscribes on the master of each slot alone', async () => {
    const one = await node('a');
    const channels = Array.from({ length: 300 }, (_, i) => `user:${i}`);
    await one.subscribe(...channels);
    const counts = await Promise.all(
      servers.masters.map(async (master) => {
        const names = (await master.call('PUBSUB', 'SHARDCHANNELS', '*:c:user:*')) as string[];
        for (const name of names) expect(await servers.ownerOf(slotOf(name))).toBe(master);
        return names.length;
      }),
    );
    expect(counts.reduce((sum, count) => sum + count)).toBe(300);
    expect(await servers.masters[0]?.call('PUBSUB', 'CHANNELS', '*')).toEqual([]);
  });

  it('names the channels of a slot that has moved as interrupted, and no others', async () => {
    const subscriber = await node('a');
    const channels = Array.from({ length: 300 }, (_, i) => `user:${i}`);
    await subscriber.subscribe(...channels);
    const slot = slotOf(nameOf('user:1'));
    const from = await servers.ownerOf(slot);
    const to = servers.masters.find((master) => master !== from) as RedisServer;
    await servers.moveSlot(slot, from, to);
    const moved = channels.filter((channel) => slotOf(nameOf(channel)) === slot);
    await until('they are named', () => subscriber.interrupted.length >= moved.length);
    expect(subscriber.interrupted.toSorted()).toEqual(moved.toSorted());
  });

  it('loses, doubles and reorders nothing while slots move under a stream of publications', async () => {
    const [publisher, subscriber] = [await node('a'), await node('b')];
    const channels = Array.from({ length: 40 }, (_, i) => `room:${i}`);
    await subscriber.subscribe(...channels);
    const outcomes: Promise<{ nodes: number }>[] = [];
    const talking = setInterval(() => {
      for (const channel of channels) {
        outcomes.push(publisher.publish(channel, channel, String(outcomes.length)));
      }
    }, 5);
    try {
      for (const channel of channels.slice(0, 4)) {
        const slot = slotOf(nameOf(channel));
        const from = await servers.ownerOf(slot);
        const to = servers.masters.find((master) => master !== from) as RedisServer;
        await servers.moveSlot(slot, from, to);
        await until('the channel is subscribed on its new master', async () => {
          const received = (await to.call('PUBSUB', 'SHARDNUMSUB', nameOf(channel))) as [string, number];
          return received[1] === 1;
        });
        const published = outcomes.length;
        await until('more was published meanwhile', () => outcomes.length > published + 2_000);
      }
    } finally {
      clearInterval(talking);
    }
    const counts = (await Promise.all(outcomes)).map((outcome) => outcome.nodes);
    await subscriber.hasReceived(outcomes.length);
    expect(counts.every((count) => count === 1)).toBe(true);
    expect(subscriber.received).toHaveLength(outcomes.length);
    const last = new Map<string, number>();
    for (const publication of subscriber.received) {
      if (publication.kind !== 'message') continue;
      const sequence = Number(String(publication.text));
      expect(sequence).toBeGreaterThan(last.get(publication.type) ?? -1);
      last.set(publication.type, sequence);
    }
  }, 60_000);

  it('reaches the masters at the addresses in the natMap of the given client', async () => {
    const paths = servers.masters.map(({ port }) => new FaultyProxy(port));
    const ports = await Promise.all(paths.map((path) => path.listen()));
    const natMap = Object.fromEntries(
      servers.masters.map(({ port }, i) => [
        `127.0.0.1:${port}`,
        { host: 'localhost', port: ports[i] as number },
      ]),
    );
    const mapped = new Cluster([{ host: '127.0.0.1', port: ports[0] as number }], {
      natMap,
      lazyConnect: true,
    });
    const [publisher, subscriber] = [new RedisNode(mapped, 'a'), new RedisNode(mapped, 'b')];
    nodes.push(publisher, subscriber);
    try {
      await Promise.all([publisher.start(), subscriber.start()]);
      const channels = Array.from({ length: 30 }, (_, i) => `room:${i}`);
      await subscriber.subscribe(...channels);
      for (const channel of channels) expect(await publisher.publish(channel, channel)).toEqual({ nodes: 1 });
      for (const { opened } of paths) expect(opened).toBeGreaterThanOrEqual(4);
    } finally {
      await Promise.all(nodes.splice(0).map(({ backplane }) => backplane.stop()));
      mapped.disconnect();
      await Promise.all(paths.map((path) => path.close()));
    }
  });

  it('follows a failover after a crash: typed outcomes meanwhile, every subscription back', async () => {
    const [publisher, subscriber] = [await node('a'), await node('b')];
    const channels = Array.from({ length: 600 }, (_, i) => `room:${i}`);
    await subscriber.subscribe(...channels);
    const before = subscriber.backplane.subscriptions;
    await (servers.masters[1] as RedisServer).kill();
    const outcomes = await Promise.allSettled(
      channels.map((channel) => publisher.publish(channel, 'meanwhile')),
    );
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(failures.length).toBeGreaterThan(100);
    expect(failures.length).toBeLessThan(300);
    for (const { reason } of failures) expect(reason).toMatchObject({ name: 'BackplaneError' });
    await until(
      'every channel is subscribed again',
      async () => {
        const after = await Promise.allSettled(
          channels.map((channel) => publisher.publish(channel, 'after')),
        );
        return after.every((outcome) => outcome.status === 'fulfilled' && outcome.value.nodes === 1);
      },
      30_000,
    );
    expect(subscriber.backplane.subscriptions.confirmed).toBeGreaterThanOrEqual(before.confirmed);
    await Promise.all([publisher.until('up'), subscriber.until('up')]);
  }, 60_000);

  it('follows a manual failover at once, after which the old master still replies as a replica', async () => {
    const [publisher, subscriber] = [await node('a'), await node('b')];
    const channels = Array.from({ length: 60 }, (_, i) => `room:${i}`);
    await subscriber.subscribe(...channels);
    const [old, replica] = [servers.masters[0] as RedisServer, servers.replicas[0] as RedisServer];
    const expected = ((await old.call('PUBSUB', 'SHARDCHANNELS', '*:c:*')) as string[]).length;
    expect(expected).toBeGreaterThan(10);
    const begun = performance.now();
    let unreachedAt = begun;
    const outcomes: Promise<void>[] = [];
    const talking = setInterval(() => {
      for (const channel of channels) {
        const published = publisher.publish(channel, 'meanwhile');
        outcomes.push(published.then(({ nodes }) => void (nodes === 0 && (unreachedAt = performance.now()))));
      }
    }, 10);
    try {
      await replica.call('CLUSTER', 'FAILOVER');
      await until('every channel is subscribed on the new master', async () => {
        const received = (await replica.call('PUBSUB', 'SHARDCHANNELS', '*:c:*')) as string[];
        return received.length === expected;
      });
      const published = outcomes.length;
      await until('more was published meanwhile', () => outcomes.length > published + 3_000);
    } finally {
      clearInterval(talking);
    }
    await Promise.all(outcomes);
    // Without a push it took until the next probe was late, 4 s and more.
    expect(unreachedAt - begun).toBeLessThan(1_500);
    const after = await Promise.all(channels.map((channel) => publisher.publish(channel, 'after')));
    expect(after.every(({ nodes }) => nodes === 1)).toBe(true);
    for (const { lines, states } of [publisher, subscriber]) {
      expect(states).toEqual(['up']);
      expect(lines.filter((line) => line.includes('down'))).toEqual([]);
    }
  }, 60_000);
});
