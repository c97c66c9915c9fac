import { withChannel } from '../protocol/codec.js';

/** One message ready for the wire: encoded once and framed once, with the same bytes for every socket. */
export class Frame {
  /** The channel in whose order the message is, if clients get it. */
  readonly channel: string | undefined;
  /** The position of the message in its channel's history. */
  readonly position: string | undefined;
  readonly #payload: string | Buffer;
  #payloadBytes = -1;
  #bytes: Buffer | undefined;

  /** The JSON of the message, as text or as the UTF-8 from another node; with a channel, that and the position are added. */
  constructor(payload: string | Buffer, channel?: string, position?: string) {
    this.channel = channel;
    this.position = position;
    this.#payload = channel === undefined ? payload : withChannel(payload, channel, position);
  }

  /** For a socket that compresses, and for other nodes. */
  get text(): string {
    return this.#payload.toString();
  }

  /** The bytes it takes on the wire. */
  get length(): number {
    return headerLength(this.#payloadLength) + this.#payloadLength;
  }

  /** Whether it takes more than so many bytes, its header not counted. */
  isLargerThan(bytes: number): boolean {
    const payload = this.#payload;
    return typeof payload === 'string' ? isTextLargerThan(payload, bytes) : payload.length > bytes;
  }

  // Counted on first use: a message for users of other nodes never needs it.
  get #payloadLength(): number {
    if (this.#payloadBytes < 0) this.#payloadBytes = Buffer.byteLength(this.#payload);
    return this.#payloadBytes;
  }

  /** The unmasked text frame of RFC 6455 §5.2, header and payload in one buffer; created on first use. */
  get bytes(): Buffer {
    if (this.#bytes === undefined) {
      const bytes = Buffer.allocUnsafe(this.length);
      this.#write(bytes, 0);
      this.#bytes = bytes;
    }
    return this.#bytes;
  }

  /** Copies the bytes into a larger buffer; returns the offset after them. */
  copyTo(target: Buffer, at: number): number {
    if (this.#bytes === undefined) return this.#write(target, at);
    this.#bytes.copy(target, at);
    return at + this.#bytes.length;
  }

  #write(target: Buffer, at: number): number {
    const payload = this.#payload;
    const start = writeHeader(target, at, this.#payloadLength);
    // One byte for each character is ASCII, which latin1 writes faster than utf8.
    if (typeof payload !== 'string') payload.copy(target, start);
    else if (payload.length === this.#payloadLength) target.write(payload, start, 'latin1');
    else target.write(payload, start, 'utf8');
    return start + this.#payloadLength;
  }
}

/** Whether a text takes more than so many bytes of UTF-8; counted only when its length leaves that open. */
export function isTextLargerThan(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
}

function headerLength(payloadLength: number): number {
  return payloadLength < 126 ? 2 : payloadLength < 65_536 ? 4 : 10;
}

function writeHeader(target: Buffer, at: number, payloadLength: number): number {
  target[at] = 0x81;
  if (payloadLength < 126) {
    target[at + 1] = payloadLength;
    return at + 2;
  }
  if (payloadLength < 65_536) {
    target[at + 1] = 126;
    target[at + 2] = payloadLength >>> 8;
    target[at + 3] = payloadLength & 0xff;
    return at + 4;
  }
  target[at + 1] = 127;
  target.writeBigUInt64BE(BigInt(payloadLength), at + 2);
  return at + 10;
}
