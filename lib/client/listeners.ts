import type { Clock } from './environment.js';

/** Functions that are told of the same kind of thing. One that throws keeps nothing from the others. */
export class Listeners<T> {
  readonly #all = new Set<(value: T) => void>();

  constructor(private readonly clock: Clock) {}

  /** Adds one, even one that is there already; the returned function takes it away. */
  add(tell: (value: T) => void): () => void {
    const listener = (value: T) => tell(value);
    this.#all.add(listener);
    return () => void this.#all.delete(listener);
  }

  emit(value: T): void {
    for (const tell of [...this.#all]) {
      try {
        tell(value);
      } catch (error) {
        // As with event targets, what a listener throws is an uncaught error of the page.
        this.clock.setTimeout(() => {
          throw error;
        }, 0);
      }
    }
  }
}
