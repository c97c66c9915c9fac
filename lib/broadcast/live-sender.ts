import type { Publication, Recipient } from '../backplane/publication.js';
import type { Connection } from '../connections/connection.js';
import type { ClusterPublisher } from './cluster-publisher.js';
import type { LocalDelivery } from './local-delivery.js';
import { DeliveryCounts, type Receipt } from './receipt.js';
import type { EncodedMessage, Sender, SenderOptions } from './sender.js';

const NO_IDS: readonly string[] = [];

/** Sends volatile and live messages: to this node's connections at once, and to other nodes through the backplane. */
export class LiveSender implements Sender {
  #count = 0;

  constructor(
    private readonly delivery: LocalDelivery,
    private readonly cluster: ClusterPublisher,
    private readonly nodeId: string,
  ) {}

  send(
    recipients: readonly Recipient[],
    message: EncodedMessage,
    { local, confirmWithinMs }: SenderOptions,
  ): Promise<Receipt> {
    const counts = new DeliveryCounts();
    // A connection may be in several of the rooms; it belongs to one user only.
    const mayRepeat = recipients.length > 1 && recipients[0]?.kind === 'room';
    const served = mayRepeat ? new Set<Connection>() : undefined;
    for (const to of recipients) this.delivery.deliver(to, message, counts, served);
    if (local) return Promise.resolve(counts.receipt('node'));
    const { type, delivery } = message;
    const except = message.except.size === 0 ? NO_IDS : [...message.except];
    const sendId = mayRepeat ? `${this.nodeId}.${(++this.#count).toString(36)}` : undefined;
    const { text } = message.frame;
    const publications = recipients.map((to): Publication => ({
      kind: 'message',
      to,
      type,
      text,
      except,
      delivery,
      sendId,
    }));
    return this.cluster.publish(publications, confirmWithinMs, counts);
  }
}
