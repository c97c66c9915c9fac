/**
 * One message ready for the wire: encoded once, framed once, and the same bytes for every socket it goes to.
 */
export class Frame {
  #bytes: Buffer | undefined;
  readonly #payload: string | Buffer;

  /** The JSON of the message, as text or as the UTF-8 that another node has made of it. */
  constructor(payload: string | Buffer) {
    this.#payload = payload;
  }

  /** For a socket that compresses, and for other nodes. */
  get text(): string {
    return this.#payload.toString();
  }

  /** The unmasked text frame of RFC 6455 §5.2, header and payload in one buffer; made when first asked for. */
  get bytes(): Buffer {
    return (this.#bytes ??= framePayload(this.#payload));
  }
}

/** Frames a text, or its UTF-8, as one final, uncompressed, unmasked WebSocket frame. */
export function framePayload(payload: string | Buffer): Buffer {
  const length = Buffer.byteLength(payload);
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.allocUnsafe(header + length);
  bytes[0] = 0x81;
  if (header === 2) {
    bytes[1] = length;
  } else if (header === 4) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeBigUInt64BE(BigInt(length), 2);
  }
  if (typeof payload === 'string') bytes.write(payload, header, 'utf8');
  else payload.copy(bytes, header);
  return bytes;
}
