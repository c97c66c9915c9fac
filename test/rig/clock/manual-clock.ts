import type { Clock } from '../../../lib/client/index.js';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that passes only when a test says so. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, delayMs: number): Timer {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as Timer);
  }

  /** How many timers somebody still has to clear. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, firing each timer when it is due and letting promises settle after it. */
  async advance(delayMs: number): Promise<void> {
    const end = this.#now + delayMs;
    await promisesSettled();
    for (let next = this.#nextUntil(end); next !== undefined; next = this.#nextUntil(end)) {
      this.#now = Math.max(this.#now, next.at);
      await this.#fire(next);
    }
    this.#now = end;
  }

  /** Lets time pass as it does for a machine that sleeps: what was due fires at the end, late. */
  async sleep(delayMs: number): Promise<void> {
    const due = [...this.#timers].filter(({ at }) => at <= this.#now + delayMs);
    this.#now += delayMs;
    for (const timer of due.toSorted((a, b) => a.at - b.at)) {
      if (this.#timers.has(timer)) await this.#fire(timer);
    }
  }

  async #fire(timer: Timer): Promise<void> {
    this.#timers.delete(timer);
    timer.callback();
    await promisesSettled();
  }

  #nextUntil(end: number): Timer | undefined {
    const due = [...this.#timers].filter(({ at }) => at <= end);
    return due.toSorted((a, b) => a.at - b.at)[0];
  }
}

/** A macrotask later every promise that could settle by itself has settled. */
export function promisesSettled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
