/**
 * Every close code that the library sends. Clients reconnect after 4000–4499 and not after 4500–4999 (as in Centrifugo), and
 * after 1001, 1011, 1012 and 1013 of the standard ones.
 */
export const CloseCode = {
  /** The application closed the connection. */
  NORMAL: 1000,
  /** The process or page ends. */
  GOING_AWAY: 1001,
  /** The frame violates a policy of the server. */
  POLICY_VIOLATION: 1008,
  /** The frame is larger than `maxPayloadBytes`. */
  MESSAGE_TOO_BIG: 1009,
  /** `handleConnection` threw, or the server failed otherwise. */
  INTERNAL_ERROR: 1011,
  /** The server is restarting; reconnect at the advised time. */
  SERVICE_RESTART: 1012,
  /** The server is overloaded; reconnect later. */
  TRY_AGAIN_LATER: 1013,
  /** The application requires this client to reconnect. */
  RECONNECT: 4000,
  /** The token is missing, refused or has expired: reconnect with a fresh one. */
  UNAUTHENTICATED: 4401,
  /** The client did not authenticate within `authTimeoutMs`. */
  AUTH_TIMEOUT: 4408,
  /** The client read too slowly: more than `maxQueueBytes` waited for it. */
  SLOW_CONSUMER: 4413,
  /** The client kept sending more than its rate allows. */
  RATE_LIMITED: 4429,
  /** `disconnectUser`, `disconnectSession` or `disconnectConnection` ended this connection. */
  DISCONNECTED: 4500,
  /** `handleConnection` refused this client. */
  FORBIDDEN: 4503,
  /** Too many invalid or unknown messages in a row. */
  TOO_MANY_ERRORS: 4520,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

const FINAL_STANDARD_CODES: readonly number[] = [1000, 1002, 1003, 1007, 1008, 1009, 1010];

/** Whether a client reconnects after this code. */
export function shouldReconnect(code: number): boolean {
  return !((code >= 4500 && code <= 4999) || FINAL_STANDARD_CODES.includes(code));
}

/** Whether an endpoint may put this code into a close frame (RFC 6455 §7.4). */
export function isSendableCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

const RFC_CODES: ReadonlySet<number> = new Set([1002, 1003, 1005, 1006, 1007, 1010]);

/** Whether a code is of the table above or of RFC 6455's. */
export function isKnownCloseCode(code: number): boolean {
  return RFC_CODES.has(code) || (Object.values(CloseCode) as number[]).includes(code);
}

const RETRY_MS = 5_000;

/** The close reason that tells a client when to reconnect. */
export function retryReason(ms = RETRY_MS): string {
  return `retry=${ms}`;
}
