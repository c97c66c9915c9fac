import type { Clock } from './environment.js';

/** Listeners by name. One that throws does not affect the others. */
export class Listeners {
  readonly #named = new Map<string, Set<(value: never) => void>>();

  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a listener, even one that was added already; the returned function removes it. */
  add(name: string, callback: (value: never) => void): () => void {
    const listener = (value: never) => callback(value);
    const listeners = this.#named.get(name) ?? new Set();
    this.#named.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  emit(name: string, value: unknown): void {
    const listeners = this.#named.get(name);
    for (const listener of [...(listeners ?? [])]) {
      // An earlier listener may have removed it.
      if (!listeners?.has(listener)) continue;
      try {
        listener(value as never);
      } catch (error) {
        // As with event targets, an error of a listener is an uncaught error of the page.
        this.#clock.setTimeout(() => {
          throw error;
        }, 0);
      }
    }
  }
}
