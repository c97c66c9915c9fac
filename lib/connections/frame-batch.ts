import type { Writable } from 'node:stream';
import { Frame } from './frame.js';

// Up to here one copy costs less than handing several buffers to the kernel.
const JOIN_BYTES = 32_768;

/**
 * The frames that a socket was sent in one turn, in order. Sockets that were sent the same frames share one run: each
 * run remembers the one that its next frame has led to, so that a broadcast of several messages is put together once
 * and written to every socket as one buffer.
 */
export class FrameBatch {
  /** The bytes of all its frames. */
  readonly length: number;
  readonly #before: FrameBatch | undefined;
  readonly #frame: Frame;
  #next: FrameBatch | undefined;
  #joined: Buffer | undefined;

  constructor(frame: Frame, before?: FrameBatch) {
    this.#frame = frame;
    this.#before = before;
    this.length = before === undefined ? frame.length : before.length + frame.length;
  }

  /** This run and one frame more. */
  and(frame: Frame): FrameBatch {
    const next = this.#next;
    if (next !== undefined && next.#frame === frame) return next;
    return (this.#next = new FrameBatch(frame, this));
  }

  /** Whether it is this one frame alone. */
  is(frame: Frame): boolean {
    return this.#frame === frame && this.#before === undefined;
  }

  /** Hands everything to the socket. */
  writeTo(socket: Writable): void {
    if (this.#before === undefined) {
      socket.write(this.#frame.bytes);
    } else if (this.length <= JOIN_BYTES) {
      socket.write((this.#joined ??= this.#join()));
    } else {
      socket.cork();
      for (const frame of this.#frames()) socket.write(frame.bytes);
      socket.uncork();
    }
  }

  #join(): Buffer {
    const bytes = Buffer.allocUnsafe(this.length);
    let at = 0;
    for (const frame of this.#frames()) at = frame.copyTo(bytes, at);
    return bytes;
  }

  #frames(): Frame[] {
    const frames = [this.#frame];
    for (let run = this.#before; run !== undefined; run = run.#before) frames.push(run.#frame);
    return frames.reverse();
  }
}
