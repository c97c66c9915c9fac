import type { PendingRequests } from './pending-requests.js';
import { onAbort, type AbortSignalLike } from './environment.js';
import { AsyncQueue } from './async-queue.js';

/** Sends a request whose reply comes in parts; a reader that stops cancels it at the server. */
export function stream<T>(
  requests: PendingRequests,
  type: string,
  payload: unknown,
  maxBuffered: number,
  signal: AbortSignalLike | undefined,
): AsyncQueue<T> {
  const queue = new AsyncQueue<T>(maxBuffered, () => {
    stopAbort();
    request.cancel();
  });
  const end = (failure?: { readonly error: unknown }) => {
    stopAbort();
    queue.end(failure);
  };
  const request = requests.create(type, payload, 'never', {
    onValue: (value) => queue.push(value as T),
    onComplete: () => end(),
    onFailure: (error) => end({ error }),
  });
  const stopAbort = onAbort(signal, (error) => {
    request.cancel();
    end({ error });
  });
  if (signal?.aborted) end({ error: signal.reason });
  else request.send();
  return queue;
}
