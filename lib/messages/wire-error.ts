import { HttpException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import type { Issue, WireError } from '../protocol/envelope.js';
import { defaultErrorMessage, ErrorCode, isWireErrorCode, WIRE_CODE } from '../protocol/error-codes.js';
import { RealtimeException } from './realtime.exception.js';

/** What the client gets of an error, and whether the error is the server's fault, which is logged. */
export interface Refusal {
  /** Plain strings and JSON only: encoding it cannot throw. */
  readonly error: WireError;
  readonly isFault: boolean;
  /** Which part of a `RealtimeException` was left out because it is no JSON; for the log. */
  readonly omitted?: string;
  /** Why the app refused, for the log. */
  readonly cause?: unknown;
}

const INTERNAL: Refusal = {
  error: { code: ErrorCode.INTERNAL, message: defaultErrorMessage(ErrorCode.INTERNAL) },
  isFault: true,
};

const CODES_BY_STATUS: ReadonlyMap<number, ErrorCode> = new Map([
  [400, ErrorCode.BAD_REQUEST],
  [401, ErrorCode.UNAUTHENTICATED],
  [403, ErrorCode.FORBIDDEN],
  [404, ErrorCode.NOT_FOUND],
  [408, ErrorCode.TIMEOUT],
  [409, ErrorCode.CONFLICT],
  [422, ErrorCode.VALIDATION_FAILED],
  [429, ErrorCode.RATE_LIMITED],
  [503, ErrorCode.UNAVAILABLE],
]);

/**
 * Turns anything a handler can throw into what the client may see. Only exceptions made for clients show their text.
 * Never throws: an error may be a Proxy or have getters that throw.
 */
export function refusalOf(thrown: unknown): Refusal {
  try {
    if (thrown instanceof RealtimeException) return ofRealtimeException(thrown);
    if (thrown instanceof WsException) return ofWsException(thrown);
    if (thrown instanceof HttpException) return ofHttpException(thrown);
    return ofLibrary(thrown) ?? INTERNAL;
  } catch {
    return INTERNAL;
  }
}

function ofRealtimeException({ code, message, details, issues, cause }: RealtimeException): Refusal {
  if (typeof code !== 'string' || code === '') return INTERNAL;
  const error = { code, message: textOf(message, code) };
  const kept: { details?: unknown; issues?: readonly Issue[] } = {};
  const omitted: string[] = [];
  if (details !== undefined) {
    const copy = jsonCopyOf(details);
    if (copy === undefined) omitted.push('details');
    else kept.details = copy;
  }
  if (issues !== undefined) {
    const copy = issueCopiesOf(issues);
    if (copy === undefined) omitted.push('issues');
    else kept.issues = copy;
  }
  const refusal = { error: { ...error, ...kept }, isFault: false, cause };
  if (omitted.length === 0) return refusal;
  const what = omitted.join(' and ');
  return {
    ...refusal,
    omitted: `Expected the ${what} of RealtimeException("${code}") to be JSON; the client got the error without.`,
  };
}

/** The value as a client will read it; `undefined` when JSON cannot carry it. */
function jsonCopyOf(value: unknown): unknown {
  try {
    const text: string | undefined = JSON.stringify(value);
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function issueCopiesOf(issues: readonly Issue[]): Issue[] | undefined {
  try {
    if (!Array.isArray(issues)) return undefined;
    const copies = Array.from(issues as readonly Issue[], ({ path, message }) => ({ path, message }));
    const areIssues = copies.every(
      ({ path, message }) => typeof path === 'string' && typeof message === 'string',
    );
    return areIssues ? copies : undefined;
  } catch {
    return undefined;
  }
}

function textOf(message: unknown, code: string): string {
  return typeof message === 'string' ? message : defaultErrorMessage(code);
}

function ofLibrary(thrown: unknown): Refusal | undefined {
  if (!(thrown instanceof Error) || !(WIRE_CODE in thrown)) return undefined;
  const code: unknown = thrown[WIRE_CODE];
  if (typeof code !== 'string') return undefined;
  return { error: { code, message: defaultErrorMessage(code) }, isFault: true };
}

function ofWsException(exception: WsException): Refusal {
  const error = exception.getError();
  if (typeof error === 'string') {
    return { error: { code: ErrorCode.BAD_REQUEST, message: error }, isFault: false };
  }
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = isWireErrorCode(code) ? code : ErrorCode.BAD_REQUEST;
  return {
    error: { code: known, message: textOf(message, known) },
    isFault: false,
  };
}

function ofHttpException(exception: HttpException): Refusal {
  const status = exception.getStatus();
  if (status >= 500 && status !== 503) return INTERNAL;
  const issues = issuesOf(exception);
  if (issues !== undefined) {
    const code = ErrorCode.VALIDATION_FAILED;
    return { error: { code, message: defaultErrorMessage(code), issues }, isFault: false };
  }
  const code = CODES_BY_STATUS.get(status) ?? ErrorCode.BAD_REQUEST;
  return {
    error: { code, message: textOf(exception.message, code) },
    isFault: false,
    cause: exception.cause,
  };
}

/** Nest's `ValidationPipe` lists its sentences as `message` of the response. */
function issuesOf(exception: HttpException): Issue[] | undefined {
  const response = exception.getResponse();
  const messages =
    typeof response === 'object' && response !== null
      ? (response as { message?: unknown }).message
      : undefined;
  if (!Array.isArray(messages)) return undefined;
  return messages.filter((message) => typeof message === 'string').map((message) => ({ path: '', message }));
}
