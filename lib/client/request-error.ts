import type { Issue, WireError } from '../protocol/envelope.js';

/**
 * Codes of the client itself. After `TIMEOUT` and `DISCONNECTED` the server may have handled the message; `OVERFLOW`, `CLOSED`,
 * `TOO_LARGE`: it was not sent, or a stream was not read. `TOKEN`: `token` failed while connected; it is called again.
 */
export type ClientErrorCode = 'TIMEOUT' | 'DISCONNECTED' | 'OVERFLOW' | 'CLOSED' | 'TOO_LARGE' | 'TOKEN';

/** Optional fields of a `RequestError`. */
export interface RequestErrorOptions<Details = unknown> {
  /** JSON that the application defines for its code. @default none */
  readonly details?: Details | undefined;
  /** Where the payload does not fit its contract. @default none */
  readonly issues?: readonly Issue[] | undefined;
}

/** A request failed. `code` is the server's, the application's, or one of `ClientErrorCode`. */
export class RequestError<Details = unknown> extends Error {
  override readonly name = 'RequestError';
  declare readonly details: Details | undefined;
  declare readonly issues: readonly Issue[] | undefined;

  constructor(
    readonly code: ClientErrorCode | (string & {}),
    message: string,
    options: RequestErrorOptions<Details> = {},
  ) {
    super(message);
    this.details = options.details;
    this.issues = options.issues;
  }
}

/** Thrown by `token` when no user is signed in: the client closes. */
export class UnauthenticatedError extends Error {
  override readonly name = 'UnauthenticatedError';
}

/** The client is closed. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError';

  declare readonly code: number;
  declare readonly reason: string;

  constructor({ code, reason }: { readonly code: number; readonly reason: string }) {
    super(`The client is closed: ${code} ${reason}`.trim());
    this.code = code;
    this.reason = reason;
  }
}

/** Makes an error of any payload, a malformed one too. */
export function requestErrorOf(error: WireError | null | undefined): RequestError {
  return new RequestError(error?.code ?? 'INTERNAL', error?.message ?? '', error ?? {});
}
