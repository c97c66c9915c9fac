import type { Clock } from './environment.js';

/** Functions that are told of things, by name. One that throws keeps nothing from the others. */
export class Listeners {
  readonly #named = new Map<string, Set<(value: never) => void>>();

  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds one, even one that is there already; the returned function takes it away. */
  add(name: string, tell: (value: never) => void): () => void {
    const listener = (value: never) => tell(value);
    const listeners = this.#named.get(name) ?? new Set();
    this.#named.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  emit(name: string, value: unknown): void {
    const listeners = this.#named.get(name);
    for (const tell of [...(listeners ?? [])]) {
      // One before it may have taken it away.
      if (!listeners?.has(tell)) continue;
      try {
        tell(value as never);
      } catch (error) {
        // As with event targets, what a listener throws is an uncaught error of the page.
        this.#clock.setTimeout(() => {
          throw error;
        }, 0);
      }
    }
  }
}
