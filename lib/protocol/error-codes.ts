/** Every code that the library itself puts into `$error`; an application may add its own (`TABLE_TAKEN`). */
export const ErrorCode = {
  /** The frame is not a message: not text, not JSON, no `type`, a forbidden key, an `id` of the wrong kind. */
  PARSE_ERROR: 'PARSE_ERROR',
  /** No handler exists for this `type` on this path. */
  UNKNOWN_TYPE: 'UNKNOWN_TYPE',
  /** The payload does not fit its contract; `issues` lists where. */
  VALIDATION_FAILED: 'VALIDATION_FAILED',
  /** The client has not authenticated, or its token was refused. */
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  /** The client may not do this. */
  FORBIDDEN: 'FORBIDDEN',
  /** What the message names does not exist. */
  NOT_FOUND: 'NOT_FOUND',
  /** The message contradicts the present state, as a second booking of one table does. */
  CONFLICT: 'CONFLICT',
  /** The application refused the message for another reason that is the client's. */
  BAD_REQUEST: 'BAD_REQUEST',
  /** Too many messages; slow down. */
  RATE_LIMITED: 'RATE_LIMITED',
  /** The reply did not arrive in time; the work may have been done. */
  TIMEOUT: 'TIMEOUT',
  /** The server cannot do this now; try again later. */
  UNAVAILABLE: 'UNAVAILABLE',
  /** A fault of the server; see its log. */
  INTERNAL: 'INTERNAL',
} as const;

export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/**
 * An error of the library that a handler may let through carries its code under this key; the client then gets that
 * code with its standard sentence instead of `INTERNAL`, and the log the error itself.
 */
export const WIRE_CODE: unique symbol = Symbol('nestjs-realtime:wire-code');

const MESSAGES: Record<ErrorCode, string> = {
  PARSE_ERROR: 'the frame is not a message',
  UNKNOWN_TYPE: 'no handler for this type',
  VALIDATION_FAILED: 'the payload does not fit its contract',
  UNAUTHENTICATED: 'authentication is required',
  FORBIDDEN: 'not allowed',
  NOT_FOUND: 'not found',
  CONFLICT: 'conflicts with the present state',
  BAD_REQUEST: 'refused',
  RATE_LIMITED: 'too many messages',
  TIMEOUT: 'no answer in time',
  UNAVAILABLE: 'not available now',
  INTERNAL: 'internal error',
};

/** Whether a code is the library's own. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(MESSAGES, code);
}

const WIRE_ERROR_CODE = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Whether a value can be the code of an error, the library's or an application's. */
export function isWireErrorCode(value: unknown): value is string {
  return typeof value === 'string' && WIRE_ERROR_CODE.test(value);
}

/** The default message of a code. */
export function defaultErrorMessage(code: string): string {
  return isErrorCode(code) ? MESSAGES[code] : 'refused';
}
