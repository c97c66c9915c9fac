import type { Writable } from 'node:stream';
import { Frame } from './frame.js';

// Up to this size one copy costs less than passing several buffers to the kernel.
const JOIN_BYTES = 32_768;

/**
 * The frames written to a socket in one turn of the event loop, in order. Sockets with the same frames share one batch:
 * each batch links to the one with its next frame, so that several broadcasts are joined once for all sockets.
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

  /** This batch and one more frame. */
  and(frame: Frame): FrameBatch {
    const next = this.#next;
    if (next !== undefined && next.#frame === frame) return next;
    return (this.#next = new FrameBatch(frame, this));
  }

  /** Whether it is this one frame alone. */
  is(frame: Frame): boolean {
    return this.#frame === frame && this.#before === undefined;
  }

  /** Writes every frame to the socket. */
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
    for (let batch = this.#before; batch !== undefined; batch = batch.#before) frames.push(batch.#frame);
    return frames.reverse();
  }
}
