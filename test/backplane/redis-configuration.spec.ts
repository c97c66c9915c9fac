import { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RedisConfiguration } from '../../lib/backplane/redis/client/redis-configuration.js';
import { RedisNode } from '../rig/redis/redis-node.js';
import { RedisServer } from '../rig/redis/redis-server.js';
import { until } from '../rig/clock/until.js';

describe('The option redis', () => {
  const nodes: RedisNode[] = [];
  let server: RedisServer;

  async function talk(redis: RedisConfiguration): Promise<RedisNode> {
    const [one, other] = [new RedisNode(redis, 'a'), new RedisNode(redis, 'b')];
    nodes.push(one, other);
    await Promise.all([one.start(), other.start()]);
    await other.subscribe('all');
    expect(await one.publish('all', 'hello')).toEqual({ nodes: 1 });
    await other.hasReceived(1);
    return other;
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

  it('may be a URL', async () => {
    await talk(server.url);
  });

  it('may be a URL with parameters that are not fixed', async () => {
    await talk(`${server.url}/2?connectionName=mine&family=4`);
    expect(await server.call('PUBSUB', 'CHANNELS', 'realtime:*')).toHaveLength(3);
  });

  it.each([
    ['keyPrefix', 'mine:', /"keyPrefix", which .* remove it .*redisPrefix/],
    ['lazyConnect', 'false', /"lazyConnect"/],
    ['enableOfflineQueue', 'true', /"enableOfflineQueue"/],
    ['autoResubscribe', 'true', /"autoResubscribe"/],
    ['commandTimeout', '60000', /"commandTimeout"/],
    ['retryStrategy', 'never', /"retryStrategy"/],
    ['stringNumbers', '1', /"stringNumbers"/],
    ['enableAutoPipelining', 'true', /"enableAutoPipelining"/],
  ])('may not be a URL with %s, which ioredis would prefer to ours', (name, value, message) => {
    for (const url of [
      `${server.url}?${name}=${value}`,
      `${server.url}/0?family=4&${name}=${encodeURIComponent(value)}#top`,
      `redis://user:se%3Fcret@localhost/?${name}`,
      `/tmp/redis.sock?${name}=${value}`,
    ]) {
      expect(() => new RedisNode(url, 'a')).toThrow(message);
      expect(() => new RedisNode(url, 'a')).not.toThrow(/cret/);
    }
  });

  it('may be options, of which those that would lie are not taken', async () => {
    await talk({
      ...server.address,
      db: 3,
      keyPrefix: 'mine:',
      stringNumbers: true,
      lazyConnect: false,
      enableOfflineQueue: true,
      autoResubscribe: true,
      connectionName: 'my app',
    });
    expect(await server.call('PUBSUB', 'CHANNELS', 'mine:*')).toEqual([]);
    expect(String(await server.call('CLIENT', 'LIST')).match(/name=my/g) ?? []).toHaveLength(0);
  });

  it('may be a client with auto-pipelining, and loses and reorders nothing', async () => {
    const given = new Redis({ ...server.address, enableAutoPipelining: true, lazyConnect: true });
    const [one, other] = [new RedisNode(given, 'a'), new RedisNode(given, 'b')];
    nodes.push(one, other);
    await Promise.all([one.start(), other.start()]);
    await other.subscribe('all');
    const types: string[] = [];
    const published: Promise<unknown>[] = [];
    // A turn's only publication and the several of another turn are different commands.
    for (let turn = 0; turn < 100; turn++) {
      for (let i = 0; i < (turn % 2 === 0 ? 3 : 1); i++) {
        types.push(`${turn}.${i}`);
        published.push(one.publish('all', `${turn}.${i}`));
      }
      await new Promise(setImmediate);
    }
    await Promise.all(published);
    await one.publish('all', 'last');
    await until('the last one is here', () => other.types.at(-1) === 'last');
    expect(other.types).toEqual([...types, 'last']);
    given.disconnect();
  });

  it('may be a client, which is neither used nor changed nor closed', async () => {
    const given = new Redis({ ...server.address, keyPrefix: 'mine:' });
    const listeners = () => given.eventNames().map((name) => [name, given.listenerCount(name)]);
    await given.set('key', 'value');
    const [options, received] = [{ ...given.options }, listeners()];
    await talk(given);
    await Promise.all(nodes.splice(0).map(({ backplane }) => backplane.stop()));
    expect(given.options).toEqual(options);
    expect(listeners()).toEqual(received);
    expect(given.status).toBe('ready');
    expect(await given.get('key')).toBe('value');
    given.disconnect();
  });

  it('may be a client that was never connected, which stays so', async () => {
    const given = new Redis({ ...server.address, lazyConnect: true });
    await talk(given);
    expect(given.status).toBe('wait');
    given.disconnect();
  });

  it('starts within seconds when no server replies, and reports down', async () => {
    for (const redis of [
      'redis://127.0.0.1:1',
      { sentinels: [{ host: '127.0.0.1', port: 1 }], name: 'mymaster' },
      new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true }),
    ]) {
      const node = new RedisNode(redis, 'a');
      nodes.push(node);
      const begun = performance.now();
      await node.backplane.start({
        receive: () => {},
        stateChanged: (state) => node.states.push(state),
        interrupted: () => {},
      });
      expect(performance.now() - begun).toBeLessThan(7_000);
      expect(node.states).toEqual([]);
      await expect(node.publish('all', 'no')).rejects.toMatchObject({ reason: 'unavailable' });
      const stopped = performance.now();
      await node.backplane.stop();
      expect(performance.now() - stopped).toBeLessThan(2_000);
    }
  }, 40_000);
});
