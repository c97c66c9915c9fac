/**
 * One message ready for the wire: encoded once, framed once, and the same bytes for every socket it goes to.
 */
export class Frame {
  readonly #payload: string | Buffer;
  #payloadBytes = -1;
  #bytes: Buffer | undefined;

  /** The JSON of the message, as text or as the UTF-8 that another node has made of it. */
  constructor(payload: string | Buffer) {
    this.#payload = payload;
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

  // Counted when first asked for: a message for users of other nodes never is.
  get #payloadLength(): number {
    if (this.#payloadBytes < 0) this.#payloadBytes = Buffer.byteLength(this.#payload);
    return this.#payloadBytes;
  }

  /** The unmasked text frame of RFC 6455 §5.2, header and payload in one buffer; made when first asked for. */
  get bytes(): Buffer {
    if (this.#bytes === undefined) {
      const bytes = Buffer.allocUnsafe(this.length);
      this.#write(bytes, 0);
      this.#bytes = bytes;
    }
    return this.#bytes;
  }

  /** Puts the same bytes into a larger buffer; returns where the next frame begins. */
  copyTo(target: Buffer, at: number): number {
    if (this.#bytes === undefined) return this.#write(target, at);
    this.#bytes.copy(target, at);
    return at + this.#bytes.length;
  }

  #write(target: Buffer, at: number): number {
    const payload = this.#payload;
    const start = writeHeader(target, at, this.#payloadLength);
    if (typeof payload === 'string') target.write(payload, start, 'utf8');
    else payload.copy(target, start);
    return start + this.#payloadLength;
  }
}

/** Whether a text takes more than so many bytes of UTF-8; counted only when its length leaves that open. */
export function isTextLargerThan(text: string, bytes: number): boolean {
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
}

/** Frames a text, or its UTF-8, as one final, uncompressed, unmasked WebSocket frame. */
export function framePayload(payload: string | Buffer): Buffer {
  return new Frame(payload).bytes;
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
