import type { PendingRequests } from './pending-requests.js';
import { onAbort, type Clock } from './environment.js';
import { RequestError } from './request-error.js';
import type { Retry, WaitOptions } from './send.options.js';

export interface RequestTerms extends WaitOptions {
  readonly timeoutMs: number | false;
  readonly retry: Retry;
}

/** Sends a request and waits for its reply, the timeout or the signal. */
export function request(
  requests: PendingRequests,
  clock: Clock,
  type: string,
  payload: unknown,
  { signal, timeoutMs, retry }: RequestTerms,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let timer: unknown;
    const end = () => {
      clock.clearTimeout(timer);
      stopAbort();
      pending.forget();
    };
    const succeed = (value: unknown) => {
      // Of a streamed reply a request takes the first part.
      pending.cancel();
      end();
      resolve(value);
    };
    const fail = (error: unknown) => {
      end();
      reject(error);
    };
    const pending = requests.create(type, payload, retry, {
      onValue: succeed,
      onComplete: () => succeed(null),
      onFailure: fail,
    });
    const stopAbort = onAbort(signal, fail);
    if (signal?.aborted) return fail(signal.reason);
    if (timeoutMs !== false) {
      const late = () => fail(new RequestError('TIMEOUT', `No reply to "${type}" within ${timeoutMs} ms.`));
      timer = clock.setTimeout(late, timeoutMs);
    }
    pending.send();
  });
}
