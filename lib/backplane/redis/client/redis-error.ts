import { BackplaneError } from '../../backplane-error.js';

/** Errors of a user that lacks a permission; trying again at once changes nothing. */
const REFUSAL = /^(NOPERM|NOAUTH|WRONGPASS)/;

/** Errors of a server that has run nothing: it is starting, was demoted, or its cluster has lost slots. */
const AWAY = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|ASK|MOVED|Stream isn't writeable)/;

/** A command was written and got no reply in time: whether Redis ran it is unknown. */
export function timeoutError(timeoutMs: number): BackplaneError {
  return new BackplaneError('timeout', `Redis did not reply within ${timeoutMs} ms.`);
}

/** A command was never written. */
export function unavailableError(cause?: unknown): BackplaneError {
  return new BackplaneError('unavailable', 'Redis is away.', { cause });
}

export function isRefusal(error: Error): boolean {
  return REFUSAL.test(error.message);
}

/** Whether the publication was certainly not sent, so that sending it again cannot repeat it. */
export function wasNotSent(error: Error): boolean {
  return error instanceof BackplaneError ? error.reason === 'unavailable' : AWAY.test(error.message);
}

/** The typed form of any error of a publication. */
export function asBackplaneError(error: Error): BackplaneError {
  if (error instanceof BackplaneError) return error;
  if (isRefusal(error)) {
    const hint = 'Redis does not let this node publish: check its ACL.';
    return new BackplaneError('refused', hint, { cause: error });
  }
  if (AWAY.test(error.message)) return unavailableError(error);
  // Redis may have run the command before the connection broke.
  return new BackplaneError('timeout', 'The connection to Redis broke.', { cause: error });
}
