import { from, isObservable, Observable, type Subscriber } from 'rxjs';
import { isReplySource } from './returned-value.js';

/**
 * Interceptors turn every result into an Observable. This remembers what the handler itself returned, so that one
 * value is still one reply, and a source still a reply in parts that does not hold up the messages behind it.
 */
export class InterceptedReply {
  #isStream = false;
  #onStream: (() => void) | undefined;

  /** Sees the handler's own result on its way into the interceptors. */
  observe(result: unknown): unknown {
    if (!isReplySource(result)) return result;
    this.#isStream = true;
    this.#onStream?.();
    return isObservable(result) ? result : from(result);
  }

  /** Resolves with the last value, or at once with an Observable when the handler returned a source. */
  settle(outcome: Observable<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const parts = new HeldParts();
      let last: unknown;
      this.#onStream = () => resolve(parts.release(() => subscription.unsubscribe()));
      const subscription = outcome.subscribe({
        next: (value) => {
          if (this.#isStream) parts.push((to) => to.next(value));
          else last = value;
        },
        error: (error: unknown) => {
          if (this.#isStream) parts.push((to) => to.error(error));
          else reject(error);
        },
        complete: () => {
          if (this.#isStream) parts.push((to) => to.complete());
          else resolve(last);
        },
      });
    });
  }
}

type Part = (to: Subscriber<unknown>) => void;

/** What a stream says before anyone listens. */
class HeldParts {
  readonly #held: Part[] = [];
  #listener: Subscriber<unknown> | undefined;

  push(part: Part): void {
    if (this.#listener === undefined) this.#held.push(part);
    else part(this.#listener);
  }

  release(stop: () => void): Observable<unknown> {
    return new Observable((subscriber) => {
      this.#listener = subscriber;
      for (const part of this.#held.splice(0)) part(subscriber);
      return stop;
    });
  }
}
