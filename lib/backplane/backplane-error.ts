import { ErrorCode, WIRE_CODE } from '../protocol/error-codes.js';

/**
 * Why a publication may not have reached the other nodes. `unavailable`: the backplane is away, and it was not
 * sent. `timeout`: it was sent and got no reply in time, so the outcome is unknown. `overloaded`: too many wait for a
 * reply, and it was not sent. `refused`: this node lacks the permission to publish.
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
