import { expect, it } from 'vitest';
import { BackplaneError } from '../../lib/backplane/backplane-error.js';
import { MemoryBackplane } from '../../lib/backplane/memory-backplane.js';
import { Broadcaster } from '../../lib/broadcast/broadcaster.js';
import type { ClientRequests } from '../../lib/broadcast/client-requests.js';
import type { LocalDelivery } from '../../lib/broadcast/local-delivery.js';
import { ClusterPublisher } from '../../lib/broadcast/cluster-publisher.js';
import { ReplyCollector } from '../../lib/broadcast/reply-collector.js';
import { ServerMessages } from '../../lib/broadcast/server-messages.js';

class SilentNodes extends MemoryBackplane {
  override publish = async () => ({ nodes: 2 });
}

/** A broadcaster whose node has these joins, and whose two other nodes never reply. */
function broadcasterWith(...joins: readonly (() => Promise<void>)[]): Broadcaster {
  const replies = new ReplyCollector('here');
  const delivery = {
    recipients: () => joins.map((join) => ({ join: () => join() })),
    isPending: () => true,
  } as unknown as LocalDelivery;
  const remote = new ClusterPublisher(new SilentNodes(), replies);
  setImmediate(() => replies.close());
  return new Broadcaster(delivery, new ServerMessages(), {} as ClientRequests, remote, 'here');
}

const joined = () => Promise.resolve();

it('counts this node beside the others that did not confirm a joinRoom', async () => {
  const receipt = await broadcasterWith(joined).joinRoom('ann', 'room');
  expect(receipt).toMatchObject({ delivered: 1, nodes: 2, missingNodes: 3 });
});

it('resolves a joinRoom that the backplane refuses with what is known, and tells the other nodes', async () => {
  const refused = () => Promise.reject(new BackplaneError('refused', 'no'));
  const receipt = await broadcasterWith(joined, refused).joinRoom('ann', 'room');
  expect(receipt).toMatchObject({ delivered: 1, dropped: 1, nodes: 2, failure: 'refused' });
});

it('rejects a joinRoom when a join has a fault of its own', async () => {
  const faulty = () => Promise.reject(new TypeError('no'));
  await expect(broadcasterWith(faulty).joinRoom('ann', 'room')).rejects.toThrow(TypeError);
});
