import type { Frame } from './frame.js';

interface Waiting {
  readonly frame: Frame;
  readonly isVolatile: boolean;
  before: Waiting | undefined;
  after: Waiting | undefined;
  nextVolatile: Waiting | undefined;
}

/** Frames that wait until the socket has room, in order; the oldest volatile one can be dropped. */
export class WaitingFrames {
  bytes = 0;
  volatileBytes = 0;
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  #firstVolatile: Waiting | undefined;
  #lastVolatile: Waiting | undefined;

  get isEmpty(): boolean {
    return this.#first === undefined;
  }

  push(frame: Frame, isVolatile: boolean): void {
    const waiting: Waiting = {
      frame,
      isVolatile,
      before: this.#last,
      after: undefined,
      nextVolatile: undefined,
    };
    if (this.#last === undefined) this.#first = waiting;
    else this.#last.after = waiting;
    this.#last = waiting;
    this.bytes += frame.length;
    if (!isVolatile) return;
    if (this.#lastVolatile === undefined) this.#firstVolatile = waiting;
    else this.#lastVolatile.nextVolatile = waiting;
    this.#lastVolatile = waiting;
    this.volatileBytes += frame.length;
  }

  /** Takes out the oldest frame. */
  shift(): Frame | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    if (first.isVolatile) this.#forgetFirstVolatile();
    this.#takeOut(first);
    return first.frame;
  }

  /** Takes out the oldest volatile frame. */
  dropOldest(): Frame | undefined {
    const oldest = this.#firstVolatile;
    if (oldest === undefined) return undefined;
    this.#forgetFirstVolatile();
    this.#takeOut(oldest);
    return oldest.frame;
  }

  #forgetFirstVolatile(): void {
    const oldest = this.#firstVolatile;
    if (oldest === undefined) return;
    this.volatileBytes -= oldest.frame.length;
    this.#firstVolatile = oldest.nextVolatile;
    if (this.#firstVolatile === undefined) this.#lastVolatile = undefined;
  }

  #takeOut(waiting: Waiting): void {
    const { before, after } = waiting;
    if (before === undefined) this.#first = after;
    else before.after = after;
    if (after === undefined) this.#last = before;
    else after.before = before;
    this.bytes -= waiting.frame.length;
  }
}
