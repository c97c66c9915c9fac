import type { Issue, WireError } from '../protocol/envelope.js';

/**
 * Codes that come from the client itself, beside the server's and the application's. After `TIMEOUT` and `DISCONNECTED`
 * the server may or may not have done it; after the others it has not, or no one will read more of it.
 */
export type ClientErrorCode = 'TIMEOUT' | 'DISCONNECTED' | 'OVERFLOW' | 'CLOSED' | 'TOO_LARGE';

/** A request that got no good answer. `code` is the server's, the application's, or one of `ClientErrorCode`. */
export class RequestError extends Error {
  override readonly name = 'RequestError';

  constructor(
    readonly code: ClientErrorCode | (string & {}),
    message: string,
    /** Where the payload does not fit its contract. */
    readonly issues?: readonly Issue[] | undefined,
  ) {
    super(message);
  }
}

/** Thrown by `token` to say that there is nobody to connect as: the client closes instead of asking again. */
export class UnauthenticatedError extends Error {
  override readonly name = 'UnauthenticatedError';
}

/** The client is closed for good, so what was asked of it will not happen. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError';

  readonly code: number;
  readonly reason: string;

  constructor({ code, reason }: { readonly code: number; readonly reason: string }) {
    super(`The client is closed: ${code} ${reason}`.trim());
    this.code = code;
    this.reason = reason;
  }
}

export function requestErrorOf({ code, message, issues }: WireError): RequestError {
  return new RequestError(code, message, issues);
}
