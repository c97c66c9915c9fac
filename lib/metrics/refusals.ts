import type { LoggerService } from '@nestjs/common';
import { isErrorCode } from '../protocol/error-codes.js';
import { LogPace } from './log-pace.js';
import type { RealtimeMetrics } from './realtime-metrics.js';

const PACE = { burst: 1, intervalMs: 1_000 };

/**
 * Counts and logs refusals. Each kind is logged at most once a second, with the number suppressed, so that clients cannot
 * flood the log. Lines never contain a payload or a token.
 */
export class Refusals {
  readonly #pace = new LogPace(PACE);

  constructor(
    private readonly metrics: RealtimeMetrics,
    private readonly logger: LoggerService,
  ) {}

  /** Counts and logs a refused upgrade request. */
  upgrade(reason: string, line: () => string): void {
    this.metrics.upgradesRefused.add(reason);
    const text = this.#lineOf(reason, line);
    if (text !== undefined) this.logger.warn(text);
  }

  /** Counts and logs a message that got an `$error`. */
  message(code: string, line: () => string): void {
    const label = isErrorCode(code) ? code : 'other';
    this.metrics.messagesRefused.add(label);
    const text = this.#lineOf(label, line);
    if (text !== undefined) this.logger.debug?.(text);
  }

  /** The line, if this kind may be logged now. */
  #lineOf(kind: string, line: () => string): string | undefined {
    const suppressed = this.#pace.next(kind);
    if (suppressed === undefined) return undefined;
    return suppressed === 0 ? line() : `${line()} suppressed=${suppressed}`;
  }
}
