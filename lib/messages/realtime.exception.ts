import { WsException } from '@nestjs/websockets';
import type { Issue } from '../protocol/envelope.js';
import { defaultErrorMessage, type ErrorCode } from '../protocol/error-codes.js';
import type { JsonCompatible } from './json-compatible.js';

export interface RealtimeExceptionOptions<Details = unknown> {
  /** What a program needs beyond the code, as JSON; it reaches the client as `error.details`. @default none */
  readonly details?: Details & JsonCompatible<Details>;
  /** Where the payload does not fit. @default none */
  readonly issues?: readonly Issue[] | undefined;
  /** For the log only. @default none */
  readonly cause?: unknown;
}

/**
 * Refuses a message with a stable code that the client may act on:
 * `throw new RealtimeException('TABLE_TAKEN', 'the table is taken', { details: { until: '21:00' } })`.
 */
export class RealtimeException<Details = unknown> extends WsException {
  readonly code: string;
  readonly details: Details | undefined;
  readonly issues: readonly Issue[] | undefined;

  constructor(
    code: ErrorCode | (string & {}),
    message: string = defaultErrorMessage(code),
    options: RealtimeExceptionOptions<Details> = {},
  ) {
    const { details, issues, cause } = options;
    super({
      code,
      message,
      ...(details === undefined ? {} : { details }),
      ...(issues === undefined ? {} : { issues }),
    });
    this.name = 'RealtimeException';
    this.code = code;
    this.details = details;
    this.issues = issues;
    if (cause !== undefined) this.cause = cause;
  }
}
