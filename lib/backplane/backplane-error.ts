import { ErrorCode, WIRE_CODE } from '../protocol/error-codes.js';

/**
 * Why a publication may not have reached the other nodes. `unavailable`: the backplane is away, nothing was sent.
 * `timeout`: it was sent and not answered in time, so nobody knows. `overloaded`: too much is waiting, not sent.
 * `refused`: the backplane does not let this node publish.
 */
export type BackplaneFailure = 'unavailable' | 'timeout' | 'overloaded' | 'refused';

/** Thrown by a `Backplane`; `reason` is for programs, `cause` for the log. */
export class BackplaneError extends Error {
  override readonly name = 'BackplaneError';
  readonly [WIRE_CODE] = ErrorCode.UNAVAILABLE;

  constructor(
    readonly reason: BackplaneFailure,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
