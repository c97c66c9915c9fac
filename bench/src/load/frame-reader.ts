/** Receives the frames of a socket. */
export interface FrameSink {
  /** A whole text frame; `bytes` from `start` to `end` are its payload, or empty if it was split over several reads. */
  text(bytes: Uint8Array, start: number, end: number): void;
  ping(): void;
}

const EMPTY = Buffer.alloc(0);

/**
 * Counts the frames of a server by their length headers. They are never masked (RFC 6455 §5.1), so counting does not need
 * to read the payloads.
 */
export class FrameReader {
  #skip = 0;
  #opcode = 0;
  #stash: Buffer = EMPTY;

  constructor(private readonly sink: FrameSink) {}

  read(chunk: Buffer, length: number): void {
    let bytes = chunk;
    let end = length;
    if (this.#stash.length > 0) {
      bytes = Buffer.concat([this.#stash, chunk.subarray(0, length)]);
      end = bytes.length;
      this.#stash = EMPTY;
    }
    let at = 0;
    if (this.#skip > 0) {
      if (this.#skip > end) {
        this.#skip -= end;
        return;
      }
      at = this.#skip;
      this.#skip = 0;
      this.#done(EMPTY, 0, 0);
    }
    while (at < end) {
      const header = headerOf(bytes, at, end);
      if (header < 0) {
        this.#stash = Buffer.from(bytes.subarray(at, end));
        return;
      }
      this.#opcode = (bytes[at] as number) & 0x0f;
      const size = sizeOf(bytes, at, header);
      at += header;
      if (at + size > end) {
        this.#skip = at + size - end;
        return;
      }
      this.#done(bytes, at, at + size);
      at += size;
    }
  }

  #done(bytes: Uint8Array, start: number, end: number): void {
    if (this.#opcode === 1) this.sink.text(bytes, start, end);
    else if (this.#opcode === 9) this.sink.ping();
  }
}

function headerOf(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 > end) return -1;
  const short = (bytes[at + 1] as number) & 0x7f;
  const header = short < 126 ? 2 : short === 126 ? 4 : 10;
  return at + header > end ? -1 : header;
}

function sizeOf(bytes: Buffer, at: number, header: number): number {
  if (header === 2) return (bytes[at + 1] as number) & 0x7f;
  if (header === 4) return bytes.readUInt16BE(at + 2);
  return Number(bytes.readBigUInt64BE(at + 2));
}

/** A client's text frame; the masking key is zero, so the payload is unchanged. */
export function clientFrame(text: string, opcode = 0x1): Buffer {
  const payload = Buffer.from(text);
  const short = payload.length < 126;
  const header = Buffer.alloc(short ? 6 : 8);
  header[0] = 0x80 | opcode;
  header[1] = 0x80 | (short ? payload.length : 126);
  if (!short) header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}
