/** The number of subscribed connections, or why there is none. */
export type Answer = unknown;

// Keeps one write, and the time Redis is busy with it, small.
const MAX_BATCH = 512;
const MAX_BATCH_LENGTH = 1_048_576;

/** What is published together. Whoever is part of it derives its own outcome from the one promise. */
export class RedisBatch {
  /** Channel, message, channel, message … */
  readonly pairs: string[] = [];
  readonly answers: Promise<readonly Answer[]>;
  resolve!: (answers: readonly Answer[]) => void;
  reject!: (error: Error) => void;
  #length = 0;

  constructor() {
    this.answers = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  get size(): number {
    return this.pairs.length / 2;
  }

  get isFull(): boolean {
    return this.size >= MAX_BATCH || this.#length >= MAX_BATCH_LENGTH;
  }

  /** Its place in the answers. */
  add(name: string, message: string): number {
    this.#length += message.length;
    return this.pairs.push(name, message) / 2 - 1;
  }

  /** As the script reads it. Gives the texts up: the collector would copy them about until Redis answers. */
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
