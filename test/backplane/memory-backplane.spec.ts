import { describe, expect, it } from 'vitest';
import { MemoryBackplane, MemoryHub } from '../../lib/backplane/memory-backplane.js';
import { backplaneContract } from './backplane-contract.js';
import { TestNode } from './test-node.js';

async function onOneHub() {
  const hub = new MemoryHub();
  return { backplane: () => new MemoryBackplane(hub), stop: async () => {} };
}

backplaneContract('MemoryBackplane', onOneHub, { canBeAway: false });

describe('MemoryBackplane', () => {
  it('without a hub is alone', async () => {
    const [one, two] = [new TestNode(new MemoryBackplane()), new TestNode(new MemoryBackplane())];
    await Promise.all([one.start(), two.start()]);
    void two.backplane.subscribe('all');
    expect(await one.say('all', 'hello')).toEqual({ nodes: 0 });
    expect(two.received).toEqual([]);
    await Promise.all([one.backplane.stop(), two.backplane.stop()]);
  });
});
