import type { LoggerService } from '@nestjs/common';
import { logLine } from '../../metrics/log-line.js';
import { LogPace } from '../../metrics/log-pace.js';
import type { RealtimeMetrics } from '../../metrics/realtime-metrics.js';
import { CloseCode } from '../../protocol/close-codes.js';
import type { SendQueueObserver, WebSocketLike } from '../../connections/send-queue.js';
import { connectionOn } from './connection-socket.js';
import type { GatewayConnection } from './gateway-connection.js';

const PACE = { burst: 1, intervalMs: 1_000 };

/** Counts and logs the messages that slow clients miss, and the slow clients that are closed. */
export class SlowClients implements SendQueueObserver {
  readonly #pace = new LogPace(PACE);

  constructor(
    private readonly metrics: RealtimeMetrics,
    private readonly logger: LoggerService,
  ) {}

  /** A volatile message was dropped, because the client is behind. */
  dropped(ws: WebSocketLike): void {
    this.metrics.messagesDropped.add();
    const suppressed = this.#pace.next('dropped');
    if (suppressed === undefined) return;
    this.logger.debug?.(logLine('volatile message dropped', { ...fieldsOf(connectionOn(ws)), suppressed }));
  }

  /** More than `maxQueueBytes` waits for the client. It is closed next, and may be too slow to reply to the close frame. */
  overflowed(ws: WebSocketLike): void {
    const connection = connectionOn(ws);
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
