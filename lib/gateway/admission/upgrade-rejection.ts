import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode } from '../../protocol/close-codes.js';

/** Why an upgrade is not made; `reason` is the label of its counter. */
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

/** The client hung up while it waited; nothing more is done for it. */
export const GONE: UpgradeRejection = { reason: 'gone', status: 503, message: 'the client has hung up' };

/** Whether a client has hung up: a WebSocket client never ends only its own side before the 101. */
export function hasHungUp(socket: Duplex): boolean {
  return socket.destroyed || socket.readableEnded || !socket.writable;
}

/** Answers an upgrade request with a plain HTTP response and ends its socket. */
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
  // RFC 6455 §4.4: whoever asks for another version learns which one is spoken here.
  if (status === 400) lines.push('Sec-WebSocket-Version: 13');
  if (retryAfter !== undefined) lines.push(`Retry-After: ${retryAfter}`);
  // HTTP sockets allow half-open: without this the other side could keep it for ever.
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${message}`);
}

/** The close that says the same to a browser, which cannot see an HTTP status. */
export function closeOf({ status, message, retryAfter }: UpgradeRejection): { code: number; reason: string } {
  const reason = retryAfter === undefined ? message : `retry=${retryAfter * 1_000}`;
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
