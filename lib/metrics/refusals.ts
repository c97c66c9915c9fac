import type { LoggerService } from '@nestjs/common';
import { isErrorCode } from '../protocol/error-codes.js';
import { LogPace } from './log-pace.js';
import type { RealtimeMetrics } from './realtime-metrics.js';

const PACE = { burst: 1, intervalMs: 1_000 };

/**
 * Counts every refusal and says it in the log, without letting clients flood that: one line a second for each kind,
 * with the number of those it stands for. Lines never hold a payload or a token.
 */
export class Refusals {
  readonly #pace = new LogPace(PACE);

  constructor(
    private readonly metrics: RealtimeMetrics,
    private readonly logger: LoggerService,
  ) {}

  /** An upgrade request that became no WebSocket. */
  upgrade(reason: string, line: () => string): void {
    this.metrics.upgradesRefused.add(reason);
    const text = this.#say(reason, line);
    if (text !== undefined) this.logger.warn(text);
  }

  /** A message that was answered by `$error`. */
  message(code: string, line: () => string): void {
    const label = isErrorCode(code) ? code : 'other';
    this.metrics.messagesRefused.add(label);
    const text = this.#say(label, line);
    if (text !== undefined) this.logger.debug?.(text);
  }

  /** The line, if this kind may say one now. */
  #say(kind: string, line: () => string): string | undefined {
    const suppressed = this.#pace.next(kind);
    if (suppressed === undefined) return undefined;
    return suppressed === 0 ? line() : `${line()} suppressed=${suppressed}`;
  }
}
