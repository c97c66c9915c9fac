import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RedisNode } from '../rig/redis/redis-node.js';
import { RedisServer } from '../rig/redis/redis-server.js';

describe('RedisBackplane', () => {
  let server: RedisServer;
  const nodes: RedisNode[] = [];

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(({ backplane }) => backplane.stop()));
  });
  afterAll(async () => {
    await server.kill();
  });

  async function node(id: string): Promise<RedisNode> {
    const made = new RedisNode(server.url, id);
    nodes.push(made);
    return made.start();
  }

  it.each([0, 1, 2])(
    'does not count its own subscription that Redis has not confirmed when it publishes (turn %i)',
    async (turns) => {
      const [one, other] = [await node('one'), await node('other')];
      await other.subscribe('room:shared');
      const counts: number[] = [];
      for (let i = 0; i < 50; i++) {
        const [alone, shared] = [`room:${turns}.${i}`, 'room:shared'];
        const subscribed = [one.subscribe(alone), ...(i === 0 ? [one.subscribe(shared)] : [])];
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        counts.push((await one.publish(alone, 'alone')).nodes, (await one.publish(shared, 'shared')).nodes);
        await Promise.all(subscribed);
      }
      expect(counts).toEqual(Array.from({ length: 100 }, (_, i) => i % 2));
    },
  );

  it('does not count its own subscription of the turn in which it publishes', async () => {
    const one = await node('one');
    const counts: number[] = [];
    for (let i = 0; i < 50; i++) {
      const published = one.publish(`room:${i}`, 'first');
      await one.subscribe(`room:${i}`);
      counts.push((await published).nodes);
    }
    expect(counts).toEqual(Array(50).fill(0));
  });
});
