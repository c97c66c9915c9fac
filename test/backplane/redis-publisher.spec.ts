import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { RECEIVERS } from '../../lib/backplane/redis/pubsub/publish-settlement.js';
import { RedisPublisher } from '../../lib/backplane/redis/pubsub/redis-publisher.js';
import { CLASSIC_PUBSUB } from '../../lib/backplane/redis/pubsub/redis-pubsub.js';
import { FaultyProxy } from '../rig/network/faulty-proxy.js';
import { RedisServer } from '../rig/redis/redis-server.js';
import { until } from '../rig/clock/until.js';

describe('RedisPublisher', () => {
  let server: RedisServer;
  let path: FaultyProxy;
  let client: Redis;

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  beforeEach(async () => {
    path = new FaultyProxy(server.port);
    client = new Redis({
      host: '127.0.0.1',
      port: await path.listen(),
      autoResendUnfulfilledCommands: false,
      enableOfflineQueue: false,
      maxRetriesPerRequest: null,
      retryStrategy: () => 50,
    });
    client.on('error', () => {});
    await once(client, 'ready');
  });
  afterEach(async () => {
    client.disconnect();
    await path.close();
  });
  afterAll(async () => {
    await server.kill();
  });

  it('rejects publications of a lost connection at once, and sends on the next without waiting', async () => {
    const publisher = new RedisPublisher(client, CLASSIC_PUBSUB, 3_000);
    path.replies = 'drop';
    const lost = expect(publisher.publish('x', '1', RECEIVERS)).rejects.toThrow('The connection was lost.');
    await nextTurn();
    path.disconnect();
    await lost;
    path.replies = 'pass';
    await expect(publisher.publish('x', '2', RECEIVERS)).rejects.toMatchObject({
      reason: 'unavailable',
    });
    await until('it is connected again', () => publisher.isReady);
    const begun = performance.now();
    expect(await publisher.publish('x', '3', RECEIVERS)).toBe(0);
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  it('bounds the wait for a reply that never comes, and does not send again', async () => {
    const publisher = new RedisPublisher(client, CLASSIC_PUBSUB, 200);
    const executed = () =>
      server.call('INFO', 'commandstats').then((it) => /publish:calls=(\d+)/.exec(String(it))?.[1]);
    expect(await publisher.publish('x', '0', RECEIVERS)).toBe(0);
    const before = Number(await executed());
    path.replies = 'drop';
    const begun = performance.now();
    await expect(publisher.publish('x', '1', RECEIVERS)).rejects.toMatchObject({ reason: 'timeout' });
    expect(performance.now() - begun).toBeLessThan(1_000);
    path.replies = 'pass';
    const reconnected = once(client, 'ready');
    path.disconnect();
    await reconnected;
    expect(await publisher.publish('x', '2', RECEIVERS)).toBe(0);
    expect(Number(await executed())).toBe(before + 2);
  });

  it('settles each publication with its own reply', async () => {
    const publisher = new RedisPublisher(client, CLASSIC_PUBSUB, 3_000);
    await server.call('ACL', 'SETUSER', 'default', 'resetchannels', '&allowed');
    const outcomes = await Promise.allSettled([
      publisher.publish('allowed', '1', RECEIVERS),
      publisher.publish('x', '2', RECEIVERS),
    ]);
    await server.call('ACL', 'SETUSER', 'default', 'allchannels');
    expect(outcomes).toMatchObject([
      { status: 'fulfilled', value: 0 },
      { status: 'rejected', reason: { message: expect.stringMatching(/^NOPERM/) } },
    ]);
  });

  it('settles ten thousand publications of one turn', async () => {
    const publisher = new RedisPublisher(client, CLASSIC_PUBSUB, 3_000);
    const counts = await Promise.all(
      Array.from({ length: 10_000 }, (_, i) => publisher.publish(`x${i}`, 'y', RECEIVERS)),
    );
    expect(counts.every((count) => count === 0)).toBe(true);
  });

  it('carries every text of a turn byte for byte, in order', async () => {
    const publisher = new RedisPublisher(client, CLASSIC_PUBSUB, 3_000);
    const { received } = await listener('räume');
    const texts = ['', 'ascii', 'üñï', '🪑 4\u0000\r\n$3\r\n', 'x'.repeat(300_000)];
    const counts = await Promise.all(texts.map((text) => publisher.publish('räume', text, RECEIVERS)));
    expect(counts).toEqual([1, 1, 1, 1, 1]);
    await until('all have come', () => received.length === texts.length);
    expect(received).toEqual(texts);
  });

  it('loses nothing when an ACL begins to forbid scripts', async () => {
    const publisher = new RedisPublisher(client, CLASSIC_PUBSUB, 3_000);
    const { received } = await listener('räume');
    const both = () => [
      publisher.publish('räume', 'ü1', RECEIVERS),
      publisher.publish('räume', '🪑2', RECEIVERS),
    ];
    await Promise.all(both());
    await server.call('ACL', 'SETUSER', 'default', '-eval');
    const counts = await Promise.all([...both(), ...both()]);
    await server.call('ACL', 'SETUSER', 'default', '+eval');
    expect(counts).toEqual([1, 1, 1, 1]);
    await until('all have come', () => received.length === 6);
    expect(received).toEqual(['ü1', '🪑2', 'ü1', '🪑2', 'ü1', '🪑2']);
  });

  async function listener(channel: string): Promise<{ received: string[] }> {
    const received: string[] = [];
    const subscriber = new Redis(server.port, { lazyConnect: true });
    onTestFinished(() => subscriber.disconnect());
    subscriber.on('message', (_channel, text) => received.push(text));
    await subscriber.connect();
    await subscriber.subscribe(channel);
    return { received };
  }
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
