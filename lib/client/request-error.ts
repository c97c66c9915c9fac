import type { Issue, WireError } from '../protocol/envelope.js';

/**
 * Codes that come from the client itself, beside the server's and the application's. After `TIMEOUT` and `DISCONNECTED`
 * the server may or may not have done it; after the others it has not, or no one will read more of it. `TOKEN`: the
 * option `token` failed while the connection was up; only `onError` hears of it, and it is asked again.
 */
export type ClientErrorCode = 'TIMEOUT' | 'DISCONNECTED' | 'OVERFLOW' | 'CLOSED' | 'TOO_LARGE' | 'TOKEN';

/** What a `RequestError` may hold beside its code. */
export interface RequestErrorOptions<Details = unknown> {
  /** What the application says about its code, as JSON. @default none */
  readonly details?: Details | undefined;
  /** Where the payload does not fit its contract. @default none */
  readonly issues?: readonly Issue[] | undefined;
}

/** A request that got no good answer. `code` is the server's, the application's, or one of `ClientErrorCode`. */
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
    const { details, issues } = options;
    Object.assign(this, { details, issues });
  }
}

/** Thrown by `token` to say that there is nobody to connect as: the client closes instead of asking again. */
export class UnauthenticatedError extends Error {
  override readonly name = 'UnauthenticatedError';
}

/** The client is closed, so what was asked of it will not happen. */
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

/** Of a server that keeps to no protocol it makes an error all the same. */
export function requestErrorOf(error: WireError | null | undefined): RequestError {
  return new RequestError(error?.code ?? 'INTERNAL', error?.message ?? '', error ?? {});
}
