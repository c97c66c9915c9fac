import type { IncomingMessage } from 'node:http';
import type { LoggerService } from '@nestjs/common';
import { logLine } from '../../metrics/log-line.js';
import type { RealtimeMetrics } from '../../metrics/realtime-metrics.js';
import type { Refusals } from '../../metrics/refusals.js';
import type { UpgradeRejection } from './upgrade-rejection.js';

// A header may have 16 KB; a line in the log needs to be recognized.
const MAX_FIELD_LENGTH = 200;

/** Counts, times and logs what upgrade requests come to. */
export class UpgradeLog {
  constructor(
    private readonly metrics: RealtimeMetrics,
    private readonly refusals: Refusals,
    private readonly logger: LoggerService,
  ) {}

  /** Admission has decided about a request that came at `startedAt`. */
  decided(startedAt: number): void {
    this.metrics.handshakeDuration.observe((performance.now() - startedAt) / 1_000);
  }

  /** A request was refused. */
  rejected(
    request: IncomingMessage,
    rejection: UpgradeRejection,
    ip: string,
    expectedOrigin: () => string,
  ): void {
    this.refusals.upgrade(rejection.reason, () => rejectionLine(request, rejection, ip, expectedOrigin));
  }

  /** A request is for a path that no gateway has. */
  unknownPath({ url }: IncomingMessage, known: readonly string[]): void {
    this.refusals.upgrade('path', () =>
      logLine('refused', {
        reason: 'path',
        status: 404,
        path: loggedPath(url),
        known: shortened(known.join(' ') || 'none'),
      }),
    );
  }

  /** A check of a request threw. */
  failed(error: unknown): void {
    this.logger.error(error);
  }
}

/** The path of a URL without its query, which may hold a ticket or a token. */
function loggedPath(url = ''): string {
  const end = url.search(/[?#]/);
  return shortened(end < 0 ? url : url.slice(0, end));
}

function rejectionLine(
  { headers, socket, url }: IncomingMessage,
  { reason, status, cause }: UpgradeRejection,
  ip: string,
  expectedOrigin: () => string,
): string {
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
