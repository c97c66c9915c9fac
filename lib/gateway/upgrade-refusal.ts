import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

/** Why an upgrade was not made, as HTTP says it. */
export interface UpgradeRefusal {
  readonly status: 400 | 401 | 403 | 404 | 429 | 500 | 503;
  readonly message: string;
  /** In seconds. */
  readonly retryAfter?: number;
}

/** Answers an upgrade request with a plain HTTP response and ends its socket. */
export function refuseUpgrade(socket: Duplex, { status, message, retryAfter }: UpgradeRefusal): void {
  if (socket.destroyed || !socket.writable) return;
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(message)}`,
  ];
  if (retryAfter !== undefined) lines.push(`Retry-After: ${retryAfter}`);
  // HTTP sockets allow half-open: without this the other side could keep it for ever.
  socket.once('finish', () => socket.destroy());
  socket.end(`${lines.join('\r\n')}\r\n\r\n${message}`);
}
