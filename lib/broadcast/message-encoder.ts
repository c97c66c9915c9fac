import { Frame } from '../connections/frame.js';
import { MessageTooLargeError } from '../connections/message-too-large.js';
import type { MessageEntry } from '../contract/contract.js';
import { encodeMessage } from '../protocol/codec.js';
import type { Delivery } from '../protocol/delivery.js';
import { isReservedType, type Message } from '../protocol/envelope.js';
import { exceptions } from './recipients.js';
import type { SendOptions } from './send.options.js';
import type { EncodedMessage } from './sender.js';
import type { ServerMessages } from './server-messages.js';

/** Checks the messages that the app sends and encodes each once. */
export class MessageEncoder {
  constructor(
    private readonly serverMessages: ServerMessages,
    private readonly maxBytes: number,
  ) {}

  /** Throws when no contract knows the message, when its payload is not JSON, and when it is too large. */
  encode(message: Message, { except, volatile }: SendOptions): EncodedMessage {
    const { type, payload } = requireMessage(message);
    const delivery = deliveryOf(this.serverMessages.require(type), volatile);
    const frame = new Frame(encodeMessage(type, payload));
    this.requireSize(type, frame);
    return { type, frame, except: exceptions(except), delivery };
  }

  /** Throws when a message takes more bytes than may wait for one client. */
  requireSize(type: string, frame: Frame): void {
    const { maxBytes } = this;
    if (frame.isLargerThan(maxBytes)) throw new MessageTooLargeError(type, frame.length, maxBytes);
  }
}

/** Throws when the app passed no message, or one of a type that belongs to the protocol. */
export function requireMessage(message: Message): Message {
  if (typeof message !== 'object' || message === null || typeof message.type !== 'string') {
    throw new TypeError('Expected a message { type, payload } whose type is a text of your contract.');
  }
  if (isReservedType(message.type)) {
    throw new Error(`Expected a server message of your contract, got the reserved type "${message.type}".`);
  }
  return message;
}

function deliveryOf({ type, delivery }: MessageEntry, volatile: boolean | undefined): Delivery {
  const declared: Delivery = delivery;
  if (volatile === undefined) return declared;
  if (declared !== 'recoverable') return volatile ? 'volatile' : 'live';
  throw new Error(
    `Expected no option volatile for the recoverable message "${type}", got ${String(volatile)}: remove the option, or change its delivery.`,
  );
}
