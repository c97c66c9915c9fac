import type { Publication, Recipient } from '../backplane/publication.js';
import type { Connection } from '../connections/connection.js';
import type { ClusterPublisher } from './cluster-publisher.js';
import type { LocalDelivery } from './local-delivery.js';
import { DeliveryCounts, type Receipt } from './receipt.js';
import type { EncodedMessage, Sender, SenderOptions } from './sender.js';

/** Sends volatile and live messages: to this node's connections at once, and to other nodes through the backplane. */
export class LiveSender implements Sender {
  constructor(
    private readonly delivery: LocalDelivery,
    private readonly cluster: ClusterPublisher,
  ) {}

  send(
    recipients: readonly Recipient[],
    message: EncodedMessage,
    { local, confirmWithinMs }: SenderOptions,
  ): Promise<Receipt> {
    const counts = new DeliveryCounts();
    // A connection may be in several of the rooms; it belongs to one user only.
    const served =
      recipients.length > 1 && recipients[0]?.kind === 'room' ? new Set<Connection>() : undefined;
    for (const to of recipients) this.delivery.deliver(to, message, counts, served);
    if (local) return Promise.resolve(counts.receipt('node'));
    const { type, except, delivery } = message;
    const { text } = message.frame;
    const publications = recipients.map((to): Publication => ({
      kind: 'message',
      to,
      type,
      text,
      except,
      delivery,
    }));
    return this.cluster.publish(publications, confirmWithinMs, counts);
  }
}
