/**
 * One message ready for the wire: encoded once, framed once, and the same bytes for every socket it goes to.
 */
export class Frame {
  #bytes: Buffer | undefined;

  constructor(readonly text: string) {}

  /** The unmasked text frame of RFC 6455 §5.2, header and payload in one buffer; made when first asked for. */
  get bytes(): Buffer {
    return (this.#bytes ??= frameText(this.text));
  }
}

/** Frames a text as one final, uncompressed, unmasked WebSocket frame. */
export function frameText(text: string): Buffer {
  const length = Buffer.byteLength(text);
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
  bytes.write(text, header, 'utf8');
  return bytes;
}
