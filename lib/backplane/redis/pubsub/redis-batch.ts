import type { PublishSettlement } from './publish-settlement.js';

/** The number of subscribed connections, or an Error. */
export type PublishReply = unknown;

// Bounds one write, and the time for which it occupies Redis.
const MAX_BATCH = 512;
const MAX_BATCH_LENGTH = 1_048_576;

/** Publications that are sent together. Their results derive from one promise. */
export class RedisBatch {
  /** Channel, message, channel, message … */
  readonly pairs: string[] = [];
  readonly #replies: Promise<readonly PublishReply[]>;
  fulfil!: (replies: readonly PublishReply[]) => void;
  reject!: (error: Error) => void;
  #length = 0;

  constructor() {
    this.#replies = new Promise((resolve, reject) => {
      this.fulfil = resolve;
      this.reject = reject;
    });
  }

  get size(): number {
    return this.pairs.length / 2;
  }

  get isFull(): boolean {
    return this.size >= MAX_BATCH || this.#length >= MAX_BATCH_LENGTH;
  }

  /** Adds a publication, and resolves with the settlement of its own reply. */
  add<T>(name: string, message: string, settlement: PublishSettlement<T>): Promise<T> {
    this.#length += message.length;
    return settled(this.#replies, this.pairs.push(name, message) / 2 - 1, settlement);
  }

  /** As the script reads it. Releases the texts, which the garbage collector would copy until Redis replies. */
  pack(): Buffer {
    const { pairs } = this;
    let length = 0;
    for (const text of pairs) length += 4 + Buffer.byteLength(text);
    const packed = Buffer.allocUnsafe(length);
    let at = 0;
    for (const text of pairs) {
      const bytes = packed.write(text, at + 4);
      at = packed.writeUInt32BE(bytes, at) + bytes;
    }
    pairs.length = 0;
    return packed;
  }

  unpack(packed: Buffer): void {
    let at = 0;
    while (at < packed.length) {
      const end = at + 4 + packed.readUInt32BE(at);
      this.pairs.push(packed.toString('utf8', at + 4, end));
      at = end;
    }
  }
}

// Module-level so that the closures do not retain the message.
function settled<T>(
  replies: Promise<readonly PublishReply[]>,
  index: number,
  settlement: PublishSettlement<T>,
): Promise<T> {
  return replies.then(
    (all) => {
      const reply = all[index] ?? new Error('The connection was lost.');
      return reply instanceof Error
        ? settlement.rejected(withPlainCode(reply))
        : settlement.fulfilled(Number(reply));
    },
    (error: Error) => settlement.rejected(error),
  );
}

/** Gives an ACL error the code that it has outside of scripts. */
function withPlainCode(error: Error): Error {
  if (!/ACL failure in script|user executing the script can't/.test(error.message)) return error;
  return new Error(`NOPERM ${error.message}`, { cause: error });
}
