import type { PendingRequests } from './pending-requests.js';
import { onAbort, type Clock } from './environment.js';
import { RequestError } from './request-error.js';
import type { Retry, WaitOptions } from './send.options.js';

export interface RequestTerms extends WaitOptions {
  readonly timeoutMs: number | false;
  readonly retry: Retry;
}

/** Puts a question to the server and waits for its one answer, the timeout or the signal. */
export function request(
  requests: PendingRequests,
  clock: Clock,
  type: string,
  payload: unknown,
  terms: RequestTerms,
) {
  return new Promise<unknown>((resolve, reject) => {
    const { signal, timeoutMs, retry } = terms;
    let timer: unknown;
    const end = () => {
      clock.clearTimeout(timer);
      stopAbort();
      call.forget();
    };
    const fail = (error: unknown) => {
      end();
      reject(error);
    };
    const succeed = (value: unknown) => {
      end();
      resolve(value);
    };
    const call = requests.make(type, payload, retry, {
      onValue: (value, isLast) => {
        // The first part of a stream is answer enough for a request.
        if (!isLast) call.cancel();
        succeed(value);
      },
      onComplete: () => succeed(null),
      onFailure: fail,
    });
    const stopAbort = onAbort(signal, fail);
    if (signal?.aborted) return fail(signal.reason);
    if (timeoutMs !== false) {
      const late = () => fail(new RequestError('TIMEOUT', `No answer to "${type}" within ${timeoutMs} ms.`));
      timer = clock.setTimeout(late, timeoutMs);
    }
    call.post();
  });
}
