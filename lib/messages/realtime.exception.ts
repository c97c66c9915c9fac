import { WsException } from '@nestjs/websockets';
import type { Issue, WireError } from '../protocol/envelope.js';
import { defaultErrorMessage, type ErrorCode } from '../protocol/error-codes.js';

/**
 * Refuses a message with a stable code that the client may act on: `throw new RealtimeException('TABLE_TAKEN', '…')`.
 * Code and message reach the client; `cause` stays in the log.
 */
export class RealtimeException extends WsException {
  readonly code: string;
  readonly issues: readonly Issue[] | undefined;

  constructor(
    code: ErrorCode | (string & {}),
    message: string = defaultErrorMessage(code),
    details: { readonly issues?: readonly Issue[]; readonly cause?: unknown } = {},
  ) {
    const { issues, cause } = details;
    super(wireError(code, message, issues));
    this.name = 'RealtimeException';
    this.code = code;
    this.issues = issues;
    if (cause !== undefined) this.cause = cause;
  }
}

function wireError(code: string, message: string, issues: readonly Issue[] | undefined): WireError {
  return issues === undefined ? { code, message } : { code, message, issues };
}
