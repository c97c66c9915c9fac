import type { ResolvedClientOptions } from './client.options.js';
import { LONGEST_MS } from './environment.js';

type BackoffOptions = Pick<
  ResolvedClientOptions,
  'minRetryMs' | 'maxRetryMs' | 'firstRetrySpreadMs' | 'stableAfterMs' | 'random'
>;

/** The waits before attempts. All are random, so that clients that were disconnected together reconnect apart. */
export class Backoff {
  /** Attempts since the last stable connection, the next or running one included. */
  attempt = 0;

  readonly #options: BackoffOptions;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** The wait after the nth attempt failed: `min(max, min + rand(0, min(max, min · 2^n)))`, full jitter, as in centrifuge-js. */
  afterFailure(): number {
    const { minRetryMs, maxRetryMs, random } = this.#options;
    return Math.min(maxRetryMs, minRetryMs + random() * this.#ceiling(this.attempt - 1));
  }

  /**
   * The wait after a connection that was usable for `lifeMs`: anywhere within `firstRetrySpreadMs`. A server that
   * accepts and drops again widens the spread to the current back-off.
   */
  afterLoss(lifeMs: number): number {
    const { firstRetrySpreadMs, stableAfterMs, random } = this.#options;
    if (lifeMs >= stableAfterMs) this.attempt = 0;
    return random() * Math.max(firstRetrySpreadMs, this.attempt && this.#ceiling(this.attempt));
  }

  /** The wait of `retry=<ms>` in a close reason, and up to as much again (at most the spread): many clients get the same one. */
  afterAdvice(reason: string): number | undefined {
    const advice = /\bretry=(\d+)/.exec(reason)?.[1];
    if (advice === undefined) return undefined;
    const { firstRetrySpreadMs, random } = this.#options;
    return Math.min(LONGEST_MS, +advice + random() * Math.min(+advice, firstRetrySpreadMs));
  }

  /** The wait before a fresh token is sent: short, unless tokens are refused, or expire soon, one after the other. */
  afterRefusal(): number {
    return this.attempt > 1 ? this.afterFailure() : this.soon();
  }

  /** The short wait for a reason that concerns this client alone: a fresh token, a network that is back. */
  soon(): number {
    return this.#options.random() * this.#options.minRetryMs;
  }

  #ceiling(n: number): number {
    const { minRetryMs, maxRetryMs } = this.#options;
    return Math.min(maxRetryMs, minRetryMs * 2 ** n);
  }
}
