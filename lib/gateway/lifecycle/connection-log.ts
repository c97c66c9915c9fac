import { Logger } from '@nestjs/common';
import type { Disconnection } from '../../connections/connection-observer.js';
import { logLine } from '../../metrics/log-line.js';
import type { RealtimeLog } from '../../metrics/realtime-log.js';
import type { RealtimeMetrics } from '../../metrics/realtime-metrics.js';
import { isKnownCloseCode } from '../../protocol/close-codes.js';
import type { GatewayConnection, SocketObserver } from './gateway-connection.js';

export const CONNECTION_LOG_DEFAULTS = { logConnections: true };

/** Counts and logs how connections begin and end, and what the app's hooks do wrong meanwhile. */
export class ConnectionLog implements SocketObserver {
  constructor(
    private readonly metrics: RealtimeMetrics,
    private readonly logger: RealtimeLog,
    private readonly logConnections: boolean,
  ) {}

  accepted(): void {
    this.metrics.connectionsOpened.add();
  }

  /** A connection is open; `connections` are those of this node. */
  opened(connection: GatewayConnection, connections: number): void {
    this.#log('connect', () => ({ ...fieldsOf(connection), connections }));
  }

  closed(connection: GatewayConnection, disconnection: Disconnection): void {
    const durationMs = Date.now() - connection.connectedAt;
    this.metrics.connectionsClosed.add(closeLabel(disconnection.code));
    this.metrics.connectionDuration.observe(durationMs / 1_000);
    const { received } = connection;
    this.#log('disconnect', () => ({ ...fieldsOf(connection), ...disconnection, durationMs, received }));
  }

  /** `ws` reported an error of the socket. */
  socketFailed({ id }: GatewayConnection, { message }: Error): void {
    this.logger.debug(`connection ${id}: ${message}`);
  }

  hookTimedOut(connection: GatewayConnection, hook: string): void {
    this.metrics.hookFailures.add(hook);
    this.logger.error(logLine(`${hook} took too long`, fieldsOf(connection)));
  }

  hookFailed(connection: GatewayConnection, hook: string, error: unknown): void {
    this.metrics.hookFailures.add(hook);
    this.logger.failure(`${hook} failed`, fieldsOf(connection), error);
  }

  /** A hook threw an error for the client. */
  hookRefused(connection: GatewayConnection, hook: string, code: string): void {
    this.metrics.hookFailures.add(hook);
    this.logger.warn(logLine('refused by hook', { hook, code, ...fieldsOf(connection) }));
  }

  #log(event: string, createFields: () => Parameters<typeof logLine>[1]): void {
    // The fields are created only for lines that are printed.
    if (!this.logConnections || !Logger.isLevelEnabled('log')) return;
    this.logger.log(logLine(event, createFields()));
  }
}

/** The same in every log line about a connection. */
function fieldsOf({ id, userId, ip, path }: GatewayConnection) {
  return { id, userId, ip, path };
}

// A client may close with any of 2,000 codes; only known codes become a label.
function closeLabel(code: number): string {
  return isKnownCloseCode(code) ? String(code) : 'other';
}
