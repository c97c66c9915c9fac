import type { LoggerService } from '@nestjs/common';

// Reconnects fail several times a second; a line is not repeated within this time.
const REPEAT_MS = 60_000;
const MAX_MESSAGES = 100;

/** Logs for all connections to Redis: a fault once, then at most once a minute, then its end. */
export class RedisLog {
  readonly #loggedAt = new Map<string, number>();
  #state: 'up' | 'down' | undefined;
  #downSince = 0;

  constructor(private readonly logger: LoggerService) {}

  /** Whether messages reach the other nodes; logs changes only. */
  stateChanged(state: 'up' | 'down'): void {
    if (state === this.#state) return;
    const before = this.#state;
    this.#state = state;
    if (state === 'down') {
      this.#downSince = performance.now();
      this.logger.error('redis: down: other nodes cannot be reached, this one serves its own clients');
      return;
    }
    this.#loggedAt.clear();
    const downForSeconds = Math.round((performance.now() - this.#downSince) / 1_000);
    this.logger.log(before === undefined ? 'redis: up' : `redis: up again after ${downForSeconds} s`);
  }

  /** All channels are subscribed on a new connection. At debug level, since `up` is logged. */
  resubscribed(channels: number, durationMs: number): void {
    this.logger.debug?.(`redis: ${channels} channels subscribed in ${Math.round(durationMs)} ms`);
  }

  /** A connection failed, or Redis rejected a command. */
  failed(error: Error): void {
    const text = textOf(error);
    const now = performance.now();
    const loggedAt = this.#loggedAt.get(text);
    if (loggedAt !== undefined && now - loggedAt < REPEAT_MS) return;
    if (this.#loggedAt.size >= MAX_MESSAGES) this.#loggedAt.clear();
    this.#loggedAt.set(text, now);
    this.logger.warn(`redis: ${text}`);
  }
}

/** The error's text; for several addresses of one host (an AggregateError without a text) that of the first. */
function textOf(error: Error & { readonly errors?: unknown; readonly code?: unknown }): string {
  const [first] = Array.isArray(error.errors) ? (error.errors as unknown[]) : [];
  const text = error.message || (first instanceof Error ? first.message : '');
  return text || String(error.code ?? error.name);
}
