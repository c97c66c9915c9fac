import { expect, it } from 'vitest';
import { BackplaneError } from '../../lib/backplane/backplane-error.js';
import { MemoryBackplane } from '../../lib/backplane/memory-backplane.js';
import { ClusterPublisher } from '../../lib/broadcast/cluster-publisher.js';
import { ConnectionCommands } from '../../lib/broadcast/connection-commands.js';
import type { LocalDelivery } from '../../lib/broadcast/local-delivery.js';
import { ReplyCollector } from '../../lib/broadcast/reply-collector.js';

class SilentNodes extends MemoryBackplane {
  override publish = async () => ({ nodes: 2 });
}

/** A joinRoom on a node that has these joins, and whose two other nodes never reply. */
function joinRoom(...joins: readonly (() => Promise<void>)[]) {
  const replies = new ReplyCollector('here');
  const delivery = {
    connections: () => joins.map((join) => ({ join: () => join() })),
    isPending: () => true,
  } as unknown as LocalDelivery;
  const cluster = new ClusterPublisher(new SilentNodes(), replies, 'here', () => {});
  setImmediate(() => replies.close());
  const ann = { kind: 'user', key: 'ann' } as const;
  return new ConnectionCommands(delivery, cluster).join(ann, 'room');
}

const joined = () => Promise.resolve();

it('counts this node beside the others that did not confirm a joinRoom', async () => {
  expect(await joinRoom(joined)).toMatchObject({ delivered: 1, nodes: 2, missingNodes: 3 });
});

it('reports a join that the backplane refuses in the receipt, and tells the other nodes', async () => {
  const refused = () => Promise.reject(new BackplaneError('refused', 'no'));
  expect(await joinRoom(joined, refused)).toMatchObject({
    delivered: 1,
    dropped: 1,
    nodes: 2,
    failure: 'refused',
  });
});

it('rejects a joinRoom when a join has a fault of its own', async () => {
  const faulty = () => Promise.reject(new TypeError('no'));
  await expect(joinRoom(faulty)).rejects.toThrow(TypeError);
});
