import { describe, expect, it } from 'vitest';
import { MemoryBackplane, MemoryHub } from '../../lib/backplane/memory-backplane.js';
import { describeBackplane } from './backplane-contract.js';
import { RecordingNode } from '../../lib/testing/recording-node.js';

async function onOneHub() {
  const hub = new MemoryHub();
  return { backplane: () => new MemoryBackplane(hub) };
}

describeBackplane('MemoryBackplane', onOneHub, { canBeInterrupted: false });

describe('MemoryBackplane', () => {
  it('without a hub is alone', async () => {
    const [one, two] = [new RecordingNode(new MemoryBackplane()), new RecordingNode(new MemoryBackplane())];
    await Promise.all([one.start(), two.start()]);
    void two.backplane.subscribe('all');
    expect(await one.publish('all', 'hello')).toEqual({ nodes: 0 });
    expect(two.received).toEqual([]);
    await Promise.all([one.backplane.stop(), two.backplane.stop()]);
  });
});
