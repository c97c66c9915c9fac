import { BackplaneError } from '../../backplane-error.js';

/** What Redis says of a node that lacks a right; trying again at once changes nothing. */
const REFUSAL = /^(NOPERM|NOAUTH|WRONGPASS)/;

/** Said by a server that has run nothing: it is starting, was demoted, or its cluster has lost slots. */
const AWAY = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|ASK|MOVED|Stream isn't writeable)/;

/** A command that was written and not answered in time: nobody knows whether Redis ran it. */
export function notAnswered(timeoutMs: number): BackplaneError {
  return new BackplaneError('timeout', `Redis did not answer within ${timeoutMs} ms.`);
}

/** A command that was never written. */
export function isAway(cause?: unknown): BackplaneError {
  return new BackplaneError('unavailable', 'Redis is away.', { cause });
}

export function isRefusal(error: Error): boolean {
  return REFUSAL.test(error.message);
}

/** Whether the publication certainly reached nobody, so that to send it again cannot double it. */
export function wasNotSent(error: Error): boolean {
  return error instanceof BackplaneError ? error.reason === 'unavailable' : AWAY.test(error.message);
}

/** The typed form of whatever a publish failed with. */
export function asBackplaneError(error: Error): BackplaneError {
  if (error instanceof BackplaneError) return error;
  if (isRefusal(error)) {
    const hint = 'Redis does not let this node publish: check its ACL.';
    return new BackplaneError('refused', hint, { cause: error });
  }
  if (AWAY.test(error.message)) return isAway(error);
  // The connection broke under the command: whether Redis had run it is not known.
  return new BackplaneError('timeout', 'The connection to Redis broke.', { cause: error });
}
