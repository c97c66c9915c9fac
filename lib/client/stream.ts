import type { Calls } from './calls.js';
import { onAbort } from './environment.js';
import { Feed } from './feed.js';
import type { WaitOptions } from './send.options.js';

/** Asks for an answer in parts. Who stops reading stops the server too. */
export function stream<T>(
  calls: Calls,
  maxBuffered: number,
  type: string,
  payload: unknown,
  { signal }: WaitOptions,
): Feed<T> {
  const feed = new Feed<T>(maxBuffered, () => {
    stopAbort();
    call.cancel();
  });
  const end = (failure?: { readonly error: unknown }) => {
    stopAbort();
    feed.end(failure);
  };
  const call = calls.make(type, payload, 'never', {
    onValue: (value, isLast) => {
      feed.push(value as T);
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
  return feed;
}
