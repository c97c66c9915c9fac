import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, retryReason } from '../../protocol/close-codes.js';

/** Why an upgrade request is refused; `reason` is the label of its counter. */
export interface UpgradeRejection {
  readonly reason:
    | 'bad_request'
    | 'origin'
    | 'draining'
    | 'connections'
    | 'connections_per_ip'
    | 'connections_per_user'
    | 'unauthenticated'
    | 'unauthenticated_per_ip'
    | 'handshake_queue'
    | 'handshake_queue_per_ip'
    | 'handshake_timeout'
    | 'token'
    | 'tickets_unavailable'
    | 'auth_unavailable'
    | 'gone'
    | 'failure';
  readonly status: 400 | 401 | 403 | 429 | 500 | 503;
  readonly message: string;
  /** In seconds. */
  readonly retryAfter?: number;
  /** For the log alone. */
  readonly cause?: string;
}

/** A check that an upgrade request has not passed. */
export interface Rejected {
  readonly ok: false;
  readonly rejection: UpgradeRejection;
}

/** The result of every check on the way of an upgrade request, with what the check has found. */
export type Checked<Found extends object = object> = ({ readonly ok: true } & Found) | Rejected;

export const PASSED = { ok: true } as const;

export function rejected(rejection: UpgradeRejection): Rejected {
  return { ok: false, rejection };
}

/** The client hung up while it waited; nothing more is done for it. */
export const GONE: Rejected = rejected({ reason: 'gone', status: 503, message: 'the client has hung up' });

/** Whether a client has hung up: a WebSocket client never ends only its own side before the 101. */
export function hasHungUp(socket: Duplex): boolean {
  return socket.destroyed || socket.readableEnded || !socket.writable;
}

/** Replies to an upgrade request with a plain HTTP response and ends its socket. */
export function rejectUpgrade(
  socket: Duplex,
  { status, message, retryAfter }: Omit<UpgradeRejection, 'reason' | 'status' | 'cause'> & { status: number },
): void {
  if (socket.destroyed || !socket.writable) return;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(message)}`,
  ];
  // RFC 6455 §4.4: names the supported version to a client that offered another one.
  if (status === 400) lines.push('Sec-WebSocket-Version: 13');
  if (retryAfter !== undefined) lines.push(`Retry-After: ${retryAfter}`);
  // HTTP sockets allow half-open: without this the other side could keep it for ever.
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${message}`);
}

/** The close frame that stands for the HTTP response, which browsers cannot see. */
export function closeForRejection({ status, message, retryAfter }: UpgradeRejection): {
  code: number;
  reason: string;
} {
  const reason = retryAfter === undefined ? message : retryReason(retryAfter * 1_000);
  switch (status) {
    case 401:
      return { code: CloseCode.UNAUTHENTICATED, reason };
    case 403:
      return { code: CloseCode.FORBIDDEN, reason };
    case 400:
      return { code: CloseCode.POLICY_VIOLATION, reason };
    case 500:
      return { code: CloseCode.INTERNAL_ERROR, reason };
    case 429:
    case 503:
      return { code: CloseCode.TRY_AGAIN_LATER, reason };
  }
}
