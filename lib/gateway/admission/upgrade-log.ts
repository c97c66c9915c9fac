import type { IncomingMessage } from 'node:http';
import { logLine } from '../../metrics/log-line.js';
import type { UpgradeRejection } from './upgrade-rejection.js';

// A header may have 16 KB; a line in the log needs to be recognized.
const MAX_FIELD_LENGTH = 200;

/** What was asked that no gateway has, and the paths there are. */
export function unknownPathLine({ url }: IncomingMessage, known: readonly string[]): string {
  return logLine('refused', {
    reason: 'path',
    status: 404,
    path: loggedPath(url),
    known: shortened(known.join(' ') || 'none'),
  });
}

/** The path of a URL without its query, which may hold a ticket or a token. */
function loggedPath(url = ''): string {
  const end = url.search(/[?#]/);
  return shortened(end < 0 ? url : url.slice(0, end));
}

/** What was asked, what is known of who asked, and why it was refused. */
export function refusalLine(
  request: IncomingMessage,
  { reason, status, cause }: UpgradeRejection,
  ip: string,
  expectedOrigin: () => string,
): string {
  const { headers, socket, url } = request;
  const { origin, 'x-forwarded-for': forwardedFor } = headers;
  return logLine('refused', {
    reason,
    status,
    ip,
    path: loggedPath(url),
    origin: origin === undefined ? undefined : shortened(origin),
    expected: reason === 'origin' ? shortened(expectedOrigin()) : undefined,
    // All clients of a proxy that is not trusted count as one.
    note:
      reason.endsWith('_per_ip') && forwardedFor !== undefined && socket.remoteAddress?.endsWith(ip)
        ? 'X-Forwarded-For is not trusted: see trustProxy'
        : undefined,
    cause,
  });
}

function shortened(text: string): string {
  return text.length > MAX_FIELD_LENGTH ? `${text.slice(0, MAX_FIELD_LENGTH)}…` : text;
}
