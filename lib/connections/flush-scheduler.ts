import { type Frame } from './frame.js';
import { FrameBatch } from './frame-batch.js';

/** Something that has data to write at the end of the turn. */
export interface Flushable {
  flush(): void;
}

/**
 * Collects the writes of one turn of the event loop and flushes each socket once at its end, so that any number of
 * messages to a socket costs one system call.
 */
export class FlushScheduler {
  #waiting: Flushable[] = [];
  #first: FrameBatch | undefined;

  /** The batch of one frame; the same batch for every socket whose turn starts with this frame. */
  begin(frame: Frame): FrameBatch {
    const first = this.#first;
    if (first !== undefined && first.is(frame)) return first;
    return (this.#first = new FrameBatch(frame));
  }

  /** Calls `flush` at the end of the turn. */
  add(flushable: Flushable): void {
    if (this.#waiting.push(flushable) === 1) setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#first = undefined;
    for (let i = 0; i < waiting.length; i++) (waiting[i] as Flushable).flush();
  };
}
