import { concatMap, from, isObservable, Observable } from 'rxjs';
import { pacedSource, type StreamReader } from './paced-source.js';
import { isReplySource } from './returned-value.js';
import { RunningReply } from './running-reply.js';

/**
 * Interceptors turn every result into an Observable. This remembers what the handler itself returned, so that one value
 * is one reply, and a source is a streamed reply that does not delay the next messages.
 */
export class InterceptedReply {
  #isStream = false;
  #running: RunningReply | undefined;
  #onStream: (() => void) | undefined;

  constructor(
    private readonly reader: StreamReader,
    private readonly onStopError: (error: unknown) => void,
  ) {}

  /** Called with the handler's own result before the interceptors get it. */
  observe(result: unknown): unknown {
    if (!isReplySource(result)) return result;
    this.#isStream = true;
    this.#onStream?.();
    const parts = isObservable(result)
      ? new Observable((subscriber) => result.subscribe(subscriber))
      : pacedSource(result, this.reader, this.onStopError);
    const running = this.#running;
    // The source is subscribed to with the reply, or at once for an interceptor that reads it itself.
    return running === undefined ? parts : from(running.subscribed).pipe(concatMap(() => parts));
  }

  /** Resolves with the last value, or at once with a `RunningReply` when the handler returned a source. */
  settle(outcome: Observable<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const reply = new RunningReply(() => subscription.unsubscribe());
      let last: unknown;
      this.#running = reply;
      this.#onStream = () => resolve(reply);
      const subscription = outcome.subscribe({
        next: (value) => {
          if (this.#isStream) reply.push((to) => to.next(value));
          else last = value;
        },
        error: (error: unknown) => {
          if (this.#isStream) reply.push((to) => to.error(error));
          else reject(error);
        },
        complete: () => {
          if (this.#isStream) reply.push((to) => to.complete());
          else resolve(last);
        },
      });
    });
  }
}
