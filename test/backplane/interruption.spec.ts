import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RedisNode } from '../rig/redis/redis-node.js';
import { RedisServer } from '../rig/redis/redis-server.js';
import { until } from '../rig/clock/until.js';

const LONG = `room:${'long'.repeat(60)}`;

describe('BackplaneListener.interrupted', () => {
  let server: RedisServer;
  const nodes: RedisNode[] = [];

  async function node(id: string): Promise<RedisNode> {
    const made = new RedisNode(server.url, id);
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

  it('names every channel once when Redis was killed and is back, and what is published then arrives', async () => {
    const [publisher, subscriber] = [await node('a'), await node('b')];
    const channels = [LONG, ...Array.from({ length: 600 }, (_, i) => `user:${i}`)];
    await subscriber.subscribe(...channels);
    await publisher.publish('user:1', 'before');
    await until('it has arrived', () => subscriber.types.includes('before'));
    expect(subscriber.interrupted).toEqual([]);
    await server.kill();
    await subscriber.until('down');
    expect(subscriber.interrupted).toEqual([]);
    await server.start();
    await until('all are named', () => subscriber.interrupted.length >= channels.length);
    expect(subscriber.interrupted.toSorted()).toEqual(channels.toSorted());
    await publisher.until('up');
    for (const channel of [LONG, 'user:1', 'user:599']) {
      expect(await publisher.publish(channel, channel)).toEqual({ nodes: 1 });
    }
    await until('they have arrived', () => subscriber.types.length === 4);
    expect(publisher.interrupted).toEqual([]);
  });

  it('is called when the subscription holds again', async () => {
    const [publisher, subscriber] = [await node('a'), await node('b')];
    await subscriber.subscribe('room:1');
    const published: Promise<{ nodes: number }>[] = [];
    subscriber.onInterrupted = () => void published.push(publisher.publish('room:1', 'recovered'));
    await server.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until('it was called', () => published.length > 0);
    expect(await published[0]).toEqual({ nodes: 1 });
    await until('the publication has arrived', () => subscriber.types.includes('recovered'));
    expect(published).toHaveLength(1);
  });

  it('does not name a channel that was left, nor one that is subscribed for the first time', async () => {
    const subscriber = await node('a');
    await subscriber.subscribe('room:kept', 'room:left');
    subscriber.backplane.unsubscribe('room:left');
    await server.kill();
    await subscriber.until('down');
    const late = subscriber.subscribe('room:new');
    await server.start();
    await late;
    await until('the kept one is named', () => subscriber.interrupted.length > 0);
    expect(subscriber.interrupted).toEqual(['room:kept']);
  });

  it('names a channel whose subscribe was rejected, once it is subscribed', async () => {
    const subscriber = await node('a');
    await server.kill();
    await subscriber.until('down');
    await expect(subscriber.subscribe('room:late')).rejects.toMatchObject({ reason: 'unavailable' });
    expect(subscriber.interrupted).toEqual([]);
    await server.start();
    await until('it is named', () => subscriber.interrupted.length > 0);
    expect(subscriber.interrupted).toEqual(['room:late']);
  });

  it('names the channels after a Redis that hung has dropped its connections', async () => {
    const subscriber = await node('a');
    await subscriber.subscribe('room:1');
    server.signal('SIGSTOP');
    try {
      await subscriber.until('down', 15_000);
    } finally {
      server.signal('SIGCONT');
    }
    await until('it is named', () => subscriber.interrupted.length > 0);
    expect(subscriber.interrupted).toEqual(['room:1']);
  });
});
