import { Observable } from 'rxjs';

/** The client that reads a source. */
export interface StreamReader {
  readonly isOpen: boolean;
  /** Resolves when the client has read most of its send queue, or has disconnected. */
  drained(): Promise<void>;
}

// A source that always has a value must yield to the event loop, where sockets are read and closed.
const TURN_VALUES = 16;
const TURN_MS = 2;

/**
 * An AsyncIterable as an Observable that reads it only as fast as the client reads, and calls `return` on it when it is
 * unsubscribed from. `onStopError` gets what it throws after that.
 */
export function pacedSource(
  source: AsyncIterable<unknown>,
  reader: StreamReader,
  onStopError: (error: unknown) => void,
): Observable<unknown> {
  return new Observable((subscriber) => {
    const iterator = source[Symbol.asyncIterator]();
    let hasEnded = false;
    const read = async (): Promise<void> => {
      let values = 0;
      let turnBeganAt = performance.now();
      while (!subscriber.closed) {
        const { done, value } = await iterator.next();
        if (done === true) {
          hasEnded = true;
          subscriber.complete();
          return;
        }
        subscriber.next(value);
        await reader.drained();
        if (++values < TURN_VALUES && performance.now() - turnBeganAt < TURN_MS) continue;
        await nextTurn();
        values = 0;
        turnBeganAt = performance.now();
      }
    };
    read().catch((error: unknown) => {
      hasEnded = true;
      if (subscriber.closed) onStopError(error);
      else subscriber.error(error);
    });
    return () => {
      if (hasEnded) return;
      Promise.resolve()
        .then(() => iterator.return?.())
        .catch(onStopError);
    };
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
