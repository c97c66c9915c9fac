import { type Frame } from './frame.js';
import { FrameBatch } from './frame-batch.js';

/** What has something to write when the turn ends. */
export interface Flushable {
  flush(): void;
}

/**
 * Gathers the writes of one turn of the event loop: whoever has something to write is asked for it once, at the end of
 * the turn, so any number of messages to a socket cost one system call.
 */
export class FlushScheduler {
  #waiting: Flushable[] = [];
  #first: FrameBatch | undefined;

  /** The run of one frame, the same for every socket that is sent this frame first. */
  begin(frame: Frame): FrameBatch {
    const first = this.#first;
    if (first !== undefined && first.is(frame)) return first;
    return (this.#first = new FrameBatch(frame));
  }

  /** Has it flushed when the turn ends. */
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
