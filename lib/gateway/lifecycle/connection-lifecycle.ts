import type { IncomingMessage } from 'node:http';
import { Logger } from '@nestjs/common';
import type { ClientRequests } from '../../broadcast/client-requests.js';
import type { Disconnection, Identity } from '../../connections/connection.js';
import type { ConnectionRegistry } from '../../connections/connection-registry.js';
import { refusalOf } from '../../messages/wire-error.js';
import type { RealtimeLog } from '../../metrics/realtime-log.js';
import type { RealtimeMetrics } from '../../metrics/realtime-metrics.js';
import type { ReplyStreams } from '../../messages/reply-streams.js';
import type { IdempotencyCache } from '../../messages/idempotency-cache.js';
import { CloseCode, isKnownCloseCode } from '../../protocol/close-codes.js';
import { encodeMessage } from '../../protocol/codec.js';
import type { Hello } from '../../protocol/envelope.js';
import { ErrorCode } from '../../protocol/error-codes.js';
import type { GatewayConnection } from './gateway-connection.js';
import { logLine } from '../../metrics/log-line.js';

/** What `$hello` announces beyond the connection itself. */
export type Announcement = Pick<Hello, 'heartbeat' | 'maxPayloadBytes'>;

export interface LifecycleSettings {
  /** How long a connection may take to open, with its user's subscription and every `handleConnection`; and `handleRefresh`. */
  readonly openTimeoutMs: number;
  readonly logConnections: boolean;
}

/** The same in every log line about a connection. */
function logFields({ id, userId, ip, path }: GatewayConnection) {
  return { id, userId, ip, path };
}

/** Leads a connection from "we know who this is" through the app's hooks to its end. Nothing here throws. */
export class ConnectionLifecycle {
  readonly #ending = new Set<Promise<void>>();

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly idempotency: IdempotencyCache,
    private readonly streams: ReplyStreams,
    private readonly requests: ClientRequests,
    private readonly announcement: Announcement,
    private readonly metrics: RealtimeMetrics,
    private readonly settings: LifecycleSettings,
    private readonly logger: RealtimeLog,
  ) {}

  /** Registers the connection, runs `handleConnection`, says `$hello`, and lets the waiting messages in. */
  open(connection: GatewayConnection, identity: Identity, request: IncomingMessage): void {
    connection.identify(identity);
    connection.isIdentified = true;
    connection.onIdentified?.();
    connection.onIdentified = undefined;
    connection.phase = 'opening';
    void this.#track(connection, this.#open(connection, request));
  }

  /** Asks the app again what the user may do, after a token was refreshed. */
  refresh(connection: GatewayConnection, identity: Identity): Promise<void> {
    connection.identify(identity);
    return this.#track(connection, this.#refresh(connection));
  }

  /** The socket has closed. */
  end(connection: GatewayConnection, disconnection: Disconnection): void {
    const wasOpen = connection.phase === 'open';
    connection.phase = 'closed';
    connection.receiveQueue.close();
    this.registry.remove(connection);
    // Of one that was never let in nothing was answered, and it costs nothing to come and go.
    if (wasOpen) this.idempotency.ended(connection.sessionId, connection.userId);
    this.streams.stopAll(connection);
    this.requests.disconnected(connection);
    const durationMs = Date.now() - connection.connectedAt;
    this.metrics.connectionsClosed.add(closeLabel(disconnection.code));
    this.metrics.connectionDuration.observe(durationMs / 1_000);
    const { received } = connection;
    this.#log('disconnect', () => ({ ...logFields(connection), ...disconnection, durationMs, received }));
    const ending = this.#end(connection, disconnection).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  /** Resolves when every `handleDisconnect` that is running has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#ending);
  }

  async #open(connection: GatewayConnection, request: IncomingMessage): Promise<void> {
    const hook = 'handleConnection';
    const deadline = this.#deadline(connection, hook);
    try {
      await this.registry.add(connection);
      await connection.route.connect(connection, request);
    } catch (error) {
      this.#reject(connection, error, hook);
      return;
    } finally {
      clearTimeout(deadline);
    }
    if (!connection.isOpen) return;
    connection.phase = 'open';
    this.#log('connect', () => ({ ...logFields(connection), connections: this.registry.size }));
    connection.ready(encodeMessage('$hello', this.#hello(connection)));
    connection.receiveQueue.open(connection.handleFrame);
  }

  async #refresh(connection: GatewayConnection): Promise<void> {
    const hook = 'handleRefresh';
    const deadline = this.#deadline(connection, hook);
    try {
      await connection.route.refresh(connection);
    } catch (error) {
      this.#reject(connection, error, hook);
    } finally {
      clearTimeout(deadline);
    }
  }

  /** One hook of a connection runs at a time; the next one waits for it. */
  #track(connection: GatewayConnection, hook: Promise<void>): Promise<void> {
    const running = hook.finally(() => {
      if (connection.runningHook === running) connection.runningHook = undefined;
    });
    connection.runningHook = running;
    return running;
  }

  #deadline(connection: GatewayConnection, hook: string): NodeJS.Timeout {
    const tooLate = () => {
      this.metrics.hookFailures.add(hook);
      this.logger.error(logLine(`${hook} took too long`, logFields(connection)));
      connection.close(CloseCode.TRY_AGAIN_LATER, 'retry=5000');
    };
    return setTimeout(tooLate, this.settings.openTimeoutMs).unref();
  }

  async #end(connection: GatewayConnection, disconnection: Disconnection): Promise<void> {
    await connection.runningHook;
    const failures = await connection.route.disconnect(connection, disconnection);
    for (const failure of failures) {
      this.metrics.hookFailures.add('handleDisconnect');
      this.logger.failure('handleDisconnect failed', logFields(connection), failure);
    }
  }

  /** A hook that throws closes this one connection. What it throws for clients says how. */
  #reject(connection: GatewayConnection, thrown: unknown, hook: string): void {
    this.metrics.hookFailures.add(hook);
    const { error, isFault } = refusalOf(thrown);
    if (isFault) this.logger.failure(`${hook} failed`, logFields(connection), thrown);
    else this.logger.warn(logLine('refused by hook', { hook, code: error.code, ...logFields(connection) }));
    switch (error.code) {
      case ErrorCode.INTERNAL:
        connection.close(CloseCode.INTERNAL_ERROR, error.message);
        return;
      case ErrorCode.UNAUTHENTICATED:
        connection.close(CloseCode.UNAUTHENTICATED, error.message);
        return;
      case ErrorCode.UNAVAILABLE:
      case ErrorCode.RATE_LIMITED:
      case ErrorCode.TIMEOUT:
        connection.close(CloseCode.TRY_AGAIN_LATER, error.message);
        return;
      default:
        connection.close(CloseCode.FORBIDDEN, error.message);
    }
  }

  #log(event: string, fieldsOf: () => Parameters<typeof logLine>[1]): void {
    // A storm of connections should not pay for lines that nobody prints.
    if (!this.settings.logConnections || !Logger.isLevelEnabled('log')) return;
    this.logger.log(logLine(event, fieldsOf()));
  }

  #hello({ id, sessionId, userId, expiresAt }: GatewayConnection): Hello {
    const expiresInMs = expiresAt === undefined ? null : Math.max(0, expiresAt - Date.now());
    return {
      connectionId: id,
      sessionId,
      userId: userId ?? null,
      ...this.announcement,
      expiresInMs,
      recovered: false,
    };
  }
}

// A client may close with any of 2,000 codes; only those we know become a label.
function closeLabel(code: number): string {
  return isKnownCloseCode(code) ? String(code) : 'other';
}
