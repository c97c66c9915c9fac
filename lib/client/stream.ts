import type { PendingRequests } from './pending-requests.js';
import { onAbort } from './environment.js';
import { AsyncQueue } from './async-queue.js';
import type { WaitOptions } from './send.options.js';

/** Asks for an answer in parts. Who stops reading stops the server too. */
export function stream<T>(
  requests: PendingRequests,
  maxBuffered: number,
  type: string,
  payload: unknown,
  { signal }: WaitOptions,
): AsyncQueue<T> {
  const queue = new AsyncQueue<T>(maxBuffered, () => {
    stopAbort();
    call.cancel();
  });
  const end = (failure?: { readonly error: unknown }) => {
    stopAbort();
    queue.end(failure);
  };
  const call = requests.make(type, payload, 'never', {
    onValue: (value, isLast) => {
      queue.push(value as T);
      if (isLast) end();
    },
    onComplete: () => end(),
    onFailure: (error) => end({ error }),
  });
  const stopAbort = onAbort(signal, (error) => {
    call.cancel();
    end({ error });
  });
  if (signal?.aborted) end({ error: signal.reason });
  else call.post();
  return queue;
}
