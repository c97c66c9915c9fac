import type { LoggerService } from '@nestjs/common';
import { logLine } from '../../metrics/log-line.js';
import { LogPace } from '../../metrics/log-pace.js';
import type { RealtimeMetrics } from '../../metrics/realtime-metrics.js';
import { CloseCode } from '../../protocol/close-codes.js';
import type { GatewayConnection } from './gateway-connection.js';

const PACE = { burst: 1, intervalMs: 1_000 };

/** Counts and logs what clients miss that read too slowly, and those that are closed for it. */
export class SlowClients {
  readonly #pace = new LogPace(PACE);

  constructor(
    private readonly metrics: RealtimeMetrics,
    private readonly logger: LoggerService,
  ) {}

  /** A volatile message gave way, because the client is behind. */
  dropped(connection: GatewayConnection): void {
    this.metrics.messagesDropped.add();
    const suppressed = this.#pace.next('dropped');
    if (suppressed === undefined) return;
    this.logger.debug?.(logLine('volatile message dropped', { ...fieldsOf(connection), suppressed }));
  }

  /** More waits for the client than may; it is closed next, and may be too slow to answer even that. */
  overflowed(connection: GatewayConnection): void {
    this.metrics.slowConsumers.add();
    connection.faultCode ??= CloseCode.SLOW_CONSUMER;
    const suppressed = this.#pace.next('closed');
    if (suppressed === undefined) return;
    const code = CloseCode.SLOW_CONSUMER;
    this.logger.warn(logLine('client too slow', { code, ...fieldsOf(connection), suppressed }));
  }
}

function fieldsOf({ id, userId, ip, path, queuedBytes }: GatewayConnection) {
  return { id, userId, ip, path, queuedBytes };
}
