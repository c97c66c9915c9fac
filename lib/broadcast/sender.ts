import type { Recipient } from '../backplane/publication.js';
import type { Frame } from '../connections/frame.js';
import type { Delivery } from '../protocol/delivery.js';
import type { Receipt } from './receipt.js';

/** A message that was checked against its contract and encoded once, for every socket and node. */
export interface EncodedMessage {
  readonly type: string;
  readonly frame: Frame;
  /** Ids of connections and sessions that do not get it. */
  readonly except: ReadonlySet<string>;
  readonly delivery: Delivery;
}

/** What a sender is told besides the message. */
export interface SenderOptions {
  /** Only this node's connections. */
  readonly local: boolean;
  readonly confirmWithinMs: number | false;
}

/**
 * Sends the messages of one delivery class. A sender of live messages reports a failure in the receipt; one that keeps
 * messages rejects when a message may not have been kept.
 */
export interface Sender {
  send(recipients: readonly Recipient[], message: EncodedMessage, options: SenderOptions): Promise<Receipt>;
}

/** The sender of each delivery class. */
export type Senders = Record<Delivery, Sender>;

/** A message whose delivery class this process cannot send. */
export class DeliveryNotSupportedError extends Error {
  override readonly name = 'DeliveryNotSupportedError';

  constructor(
    readonly type: string,
    readonly delivery: Delivery,
  ) {
    super(
      `Expected a message that this process can deliver, got "${type}" with the delivery "${delivery}", for which it keeps ` +
        "no history: declare the message with the delivery 'live' or 'volatile'.",
    );
  }
}

/** The sender of recoverable messages in a process without history. */
export class NoHistorySender implements Sender {
  send(_recipients: readonly Recipient[], { type, delivery }: EncodedMessage): Promise<Receipt> {
    return Promise.reject(new DeliveryNotSupportedError(type, delivery));
  }
}
