import type { LoggerService } from '@nestjs/common';

// Reconnects fail several times a second; the same line again within this time says nothing new.
const REPEAT_MS = 60_000;
const MAX_MESSAGES = 100;

/** The log lines of every connection to Redis, from one place: a fault once, then at most once a minute, then its end. */
export class RedisLog {
  readonly #saidAt = new Map<string, number>();
  #state: 'up' | 'down' | undefined;
  #downSince = 0;

  constructor(private readonly logger: LoggerService) {}

  /** Whether messages reach the other nodes; the same state again is not said again. */
  stateChanged(state: 'up' | 'down'): void {
    if (state === this.#state) return;
    const before = this.#state;
    this.#state = state;
    if (state === 'down') {
      this.#downSince = performance.now();
      this.logger.error('redis: down: other nodes cannot be reached, this one serves its own clients');
      return;
    }
    this.#saidAt.clear();
    const downForSeconds = Math.round((performance.now() - this.#downSince) / 1_000);
    this.logger.log(before === undefined ? 'redis: up' : `redis: up again after ${downForSeconds} s`);
  }

  /** Every channel is subscribed after a connection was made; `up` has said that all is well. */
  resubscribed(channels: number, durationMs: number): void {
    this.logger.debug?.(`redis: ${channels} channels subscribed in ${Math.round(durationMs)} ms`);
  }

  /** A connection failed, or Redis did not take a command. */
  failed(error: Error): void {
    const text = textOf(error);
    const now = performance.now();
    const saidAt = this.#saidAt.get(text);
    if (saidAt !== undefined && now - saidAt < REPEAT_MS) return;
    if (this.#saidAt.size >= MAX_MESSAGES) this.#saidAt.clear();
    this.#saidAt.set(text, now);
    this.logger.warn(`redis: ${text}`);
  }
}

/** What went wrong; of several addresses of one host (an AggregateError, which says nothing) the first. */
function textOf(error: Error & { readonly errors?: unknown; readonly code?: unknown }): string {
  const [first] = Array.isArray(error.errors) ? (error.errors as unknown[]) : [];
  const text = error.message || (first instanceof Error ? first.message : '');
  return text || String(error.code ?? error.name);
}
