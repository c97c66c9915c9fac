import { HttpException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { ErrorCode } from '../../protocol/error-codes.js';

// Request timeout, too early, too many requests: the client may try the same token again.
const RETRIABLE_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

const RETRIABLE_CODES: ReadonlySet<unknown> = new Set([
  ErrorCode.INTERNAL,
  ErrorCode.RATE_LIMITED,
  ErrorCode.TIMEOUT,
  ErrorCode.UNAVAILABLE,
]);

/** jsonwebtoken and @nestjs/jwt, express-jwt, jwks-rsa, jwt-decode. */
const TOKEN_ERROR_NAMES: ReadonlySet<string> = new Set([
  'JsonWebTokenError',
  'TokenExpiredError',
  'NotBeforeError',
  'UnauthorizedError',
  'SigningKeyNotFoundError',
  'InvalidTokenError',
]);

/** jose, fast-jwt and firebase-admin, without the codes for a key that could not be fetched or read. */
const TOKEN_ERROR_CODE =
  /^(ERR_(JWT|JWS|JWE)_|ERR_JWKS_NO_MATCHING_KEY$|ERR_JOSE_(ALG_NOT_ALLOWED|NOT_SUPPORTED)$|FAST_JWT_(EXPIRED|INACTIVE|MALFORMED|MISSING_|INVALID_(SIGNATURE|ALGORITHM|CLAIM|PAYLOAD))|auth\/(invalid-id-token$|user-|(id-token|session-cookie)-(expired|revoked)$))/;

// jsonwebtoken reports a key that the app could not provide as an error of the token.
const KEY_FAILURE =
  /^(error in secret or public key callback|secret or public key must be provided|secretOrPublicKey is not valid)/;
const UNKNOWN_KEY = /unable to find a signing key/i;

/** Node's system errors, DNS, undici, a key that could not be fetched; a request that was aborted or timed out. */
const OUTAGE_CODE = /^(E[A-Z0-9]{2,}$|EAI_|UND_ERR_|ERR_JWKS_TIMEOUT$|FAST_JWT_KEY_FETCHING)/;
const OUTAGE_NAMES: ReadonlySet<string> = new Set(['AbortError', 'TimeoutError', 'BackplaneError']);

/**
 * What an error of `authenticate` means. `refused`: the client is not accepted. `outage`: something that `authenticate`
 * needs is unavailable. `unknown`: most likely a fault of the app. Only `refused` is final.
 */
export type AuthFailure = 'refused' | 'outage' | 'unknown';

/** Tells a refusal from an outage, by the classes of Nest and by the names and codes of common libraries. */
export function authFailureOf(thrown: unknown): AuthFailure {
  if (thrown instanceof HttpException) return isFinalStatus(thrown.getStatus()) ? 'refused' : 'outage';
  if (thrown instanceof WsException) {
    return RETRIABLE_CODES.has(codeOf(thrown.getError())) ? 'outage' : 'refused';
  }
  if (!(thrown instanceof Error)) return 'unknown';
  if (TOKEN_ERROR_NAMES.has(thrown.name)) return isKeyFailure(thrown.message) ? 'outage' : 'refused';
  const code = codeOf(thrown);
  if (typeof code === 'string' && TOKEN_ERROR_CODE.test(code)) return 'refused';
  // The response of an identity provider, as HTTP clients and http-errors report it; a 404 means a wrong URL in the app.
  const status = statusOf(thrown);
  if (status === 401 || status === 403) return 'refused';
  const isOutage = typeof status === 'number' || isSystemError(thrown) || isSystemError(thrown.cause);
  return isOutage ? 'outage' : 'unknown';
}

function isSystemError(error: unknown): boolean {
  const code = codeOf(error);
  if (typeof code === 'string' && OUTAGE_CODE.test(code)) return true;
  return error instanceof Error && OUTAGE_NAMES.has(error.name);
}

function isFinalStatus(status: number): boolean {
  return status >= 400 && status < 500 && !RETRIABLE_STATUSES.has(status);
}

function isKeyFailure(message: string): boolean {
  return KEY_FAILURE.test(message) && !UNKNOWN_KEY.test(message);
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined;
}

function statusOf(error: Error): unknown {
  const { status, statusCode, response } = error as {
    status?: unknown;
    statusCode?: unknown;
    response?: { status?: unknown } | null;
  };
  return status ?? statusCode ?? response?.status;
}
