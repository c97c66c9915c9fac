import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { describeBackplane } from './backplane-contract.js';
import { RedisNode } from '../rig/redis/redis-node.js';
import { RedisServer } from '../rig/redis/redis-server.js';
import { until } from '../rig/clock/until.js';

describeBackplane('RedisBackplane on one Redis', async () => {
  const server = await RedisServer.start();
  return {
    backplane: (nodeId) => new RedisNode(server.url, nodeId).backplane,
    outage: { begin: () => server.kill(), end: () => server.start() },
    connections: async () =>
      String(await server.call('CLIENT', 'LIST'))
        .trim()
        .split('\n').length - 1,
    stop: () => server.kill(),
  };
});

describe('RedisBackplane', () => {
  let server: RedisServer;
  const nodes: RedisNode[] = [];

  async function node(id: string, prefix?: string): Promise<RedisNode> {
    const made = new RedisNode(server.url, id, prefix);
    nodes.push(made);
    return made.start();
  }

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ backplane }) => backplane.stop()));
  });
  afterAll(async () => {
    await server.kill();
  });

  it('puts the prefix and the wire version before every channel', async () => {
    const one = await node('a');
    await one.subscribe('all', 'user:1', `room:${'x'.repeat(300)}`);
    const names = (await server.call('PUBSUB', 'CHANNELS', '*')) as string[];
    expect(names).toHaveLength(4);
    for (const name of names) expect(name).toMatch(/^realtime:v1:\{\w\w\}:(c|probe):/);
    expect(Math.max(...names.map((name) => name.length))).toBeLessThan(100);
  });

  it('keeps apps with different prefixes apart', async () => {
    const [one, other] = [await node('a', 'app-one'), await node('b', 'app-two')];
    await Promise.all([one.subscribe('all'), other.subscribe('all')]);
    expect(await one.publish('all', 'hello')).toEqual({ nodes: 0 });
  });

  it('counts unreadable messages, and receives the next ones', async () => {
    const [one, other] = [await node('a'), await node('b')];
    await Promise.all([one.subscribe('all'), other.subscribe('all')]);
    const [name] = (await server.call('PUBSUB', 'CHANNELS', '*:c:all')) as string[];
    const junk = [
      '',
      'x',
      '\n',
      '\n\n',
      'b 1\n{',
      'z 1\n{}\n',
      'z 1\nnull\n',
      'z 1\n{"kind":"message"}\n',
      'z\n{"kind":"reply","id":"1"}\n',
      '\0\u0001\n',
    ];
    const client = new Redis(server.url);
    for (const text of junk) await client.publish(name as string, text);
    await client.publish(name as string, Buffer.from([0xff, 0xfe, 10, 0x7b, 0xc3, 10]));
    await client.publish(name as string, 'z 1\n{"kind":"tomorrow","to":{"kind":"all","key":""}}\n');
    client.disconnect();
    await other.publish('all', 'readable');
    await until('the readable one has come', () => one.types.includes('readable'));
    expect(one.metrics.received.of('unreadable')).toBe(junk.length + 1);
    expect(one.metrics.received.of('unknown')).toBe(1);
  });

  it('drops, and counts, a publication that came after a later one of its node', async () => {
    const [one] = [await node('a')];
    await one.subscribe('all');
    const [name] = (await server.call('PUBSUB', 'CHANNELS', '*:c:all')) as [string];
    for (const sequence of [7, 5, 7, 8]) {
      await server.call(
        'PUBLISH',
        name,
        `z ${sequence}\n{"kind":"reply","id":"${sequence}","node":"z","delivered":1,"dropped":0}\n`,
      );
    }
    await one.hasReceived(2);
    expect(one.received).toEqual([
      { kind: 'reply', id: '7', node: 'z', delivered: 1, dropped: 0 },
      { kind: 'reply', id: '8', node: 'z', delivered: 1, dropped: 0 },
    ]);
    expect(one.metrics.received.of('late')).toBe(2);
  });

  it('subscribes again, without being told, when Redis has ended its subscriber', async () => {
    const [one, other] = [await node('a'), await node('b')];
    await one.subscribe(...Array.from({ length: 600 }, (_, i) => `user:${i}`));
    for (let round = 0; round < 5; round++) {
      const { total } = one.metrics.resubscriptions;
      await server.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await until('it has subscribed again', () => one.metrics.resubscriptions.total > total);
      expect(one.backplane.subscriptions).toEqual({ wanted: 601, confirmed: 601 });
      expect(await other.publish('user:599', `round-${round}`)).toEqual({ nodes: 1 });
    }
    await one.hasReceived(5);
    expect(one.types).toEqual([0, 1, 2, 3, 4].map((round) => `round-${round}`));
  });

  it('subscribes 20,000 channels again after a restart in one round, and joins go first', async () => {
    const [one, other] = [await node('a'), await node('b')];
    const channels = Array.from({ length: 20_000 }, (_, i) => `user:${i}`);
    await one.subscribe(...channels);
    const { total } = one.metrics.resubscriptions;
    await server.kill();
    await until('it has noticed', () => one.backplane.subscriptions.confirmed === 0);
    const join = one.backplane.subscribe('user:new');
    await server.start();
    await join;
    expect(one.backplane.subscriptions.confirmed).toBeLessThan(5_000);
    await until('every channel is confirmed', () => one.backplane.subscriptions.confirmed === 20_002);
    expect(one.metrics.resubscriptions.total).toBe(total + 1);
    await other.until('up');
    expect(await other.publish('user:19999', 'hello')).toEqual({ nodes: 1 });
  }, 40_000);

  it('is down about a second after the connection was lost, and up as soon as it is back', async () => {
    const [one, other] = [await node('a'), await node('b')];
    await one.subscribe('all');
    const begun = performance.now();
    await server.kill();
    await one.until('down', 3_000);
    expect(performance.now() - begun).toBeGreaterThan(900);
    await server.start();
    await one.until('up', 3_000);
    await server.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await server.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until('all is confirmed again', () => one.backplane.subscriptions.confirmed === 2);
    await until(
      'publications arrive again',
      async () => (await other.publish('all', 'x').catch(() => ({ nodes: 0 }))).nodes === 1,
    );
    expect(one.states).toEqual(['up', 'down', 'up']);
  });

  it('is down while Redis hangs and up again after, without a new process', async () => {
    const [one, other] = [await node('a'), await node('b')];
    await one.subscribe('all');
    server.signal('SIGSTOP');
    try {
      const begun = performance.now();
      await expect(other.publish('all', 'hangs')).rejects.toMatchObject({ reason: 'timeout' });
      expect(performance.now() - begun).toBeLessThan(3_500);
      const crowd = await Promise.allSettled(
        Array.from({ length: 10_050 }, () => other.publish('all', 'crowd')),
      );
      const overloaded = crowd.filter((it) => it.status === 'rejected' && it.reason.reason === 'overloaded');
      expect(overloaded).toHaveLength(50);
      await one.until('down', 15_000);
      await expect(
        other.publish('all', 'refused').catch(({ reason }) => Promise.reject(reason)),
      ).rejects.toMatch(/unavailable|timeout/);
    } finally {
      server.signal('SIGCONT');
    }
    await Promise.all([one.until('up'), other.until('up')]);
    await until('publications arrive again', async () => {
      await other.publish('all', 'again').catch(() => {});
      return one.types.includes('again');
    });
  }, 60_000);

  it('logs a failure that repeats at most once a minute', async () => {
    const one = await node('a');
    await server.kill();
    await until('it has failed several times', () => one.metrics.failures.total >= 6);
    await server.start();
    await until('it has connected', () => one.backplane.subscriptions.confirmed === 1);
    expect(one.lines.filter((line) => line.includes('ECONNREFUSED'))).toHaveLength(1);
  });
});
