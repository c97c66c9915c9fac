import { HttpException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import type { Issue, WireError } from '../protocol/envelope.js';
import { defaultErrorMessage, ErrorCode, WIRE_CODE } from '../protocol/error-codes.js';
import { RealtimeException } from './realtime.exception.js';

/** What a client may know of an error, and whether it was the server's fault (and so belongs in its log). */
export interface Refusal {
  readonly error: WireError;
  readonly isFault: boolean;
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

const CODE_PATTERN = /^[A-Z][A-Z0-9_]{0,63}$/;

/** Turns anything a handler can throw into what the client may see. Only exceptions made for clients show their text. */
export function refusalOf(thrown: unknown): Refusal {
  if (thrown instanceof RealtimeException) {
    const { code, message, issues } = thrown;
    return { error: issues === undefined ? { code, message } : { code, message, issues }, isFault: false };
  }
  if (thrown instanceof WsException) return ofWsException(thrown);
  if (thrown instanceof HttpException) return ofHttpException(thrown);
  return ofLibrary(thrown) ?? INTERNAL;
}

function ofLibrary(thrown: unknown): Refusal | undefined {
  if (!(thrown instanceof Error) || !(WIRE_CODE in thrown)) return undefined;
  const code = thrown[WIRE_CODE] as ErrorCode;
  return { error: { code, message: defaultErrorMessage(code) }, isFault: true };
}

function ofWsException(exception: WsException): Refusal {
  const error = exception.getError();
  if (typeof error === 'string') {
    return { error: { code: ErrorCode.BAD_REQUEST, message: error }, isFault: false };
  }
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = typeof code === 'string' && CODE_PATTERN.test(code) ? code : ErrorCode.BAD_REQUEST;
  return {
    error: { code: known, message: typeof message === 'string' ? message : defaultErrorMessage(known) },
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
  return { error: { code, message: exception.message }, isFault: false };
}

/** Nest's `ValidationPipe` lists its sentences as `message` of the response. */
function issuesOf(exception: HttpException): Issue[] | undefined {
  const response = exception.getResponse();
  const messages = typeof response === 'object' ? (response as { message?: unknown }).message : undefined;
  if (!Array.isArray(messages)) return undefined;
  return messages.filter((message) => typeof message === 'string').map((message) => ({ path: '', message }));
}
