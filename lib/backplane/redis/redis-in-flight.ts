import type { BackplaneMetrics } from '../../metrics/backplane-metrics.js';
import type { PublishOutcome } from '../backplane.js';
import { BackplaneError } from '../backplane-error.js';
import { asBackplaneError } from './client/redis-error.js';
import type { PublishSettlement } from './pubsub/publish-settlement.js';

// With more than this in flight Redis is slow, and queueing would only hide it.
const MAX_PUBLICATIONS = 10_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** Bounds and counts the publications that Redis has not replied to. */
export class RedisInFlight {
  #publications = 0;
  #bytes = 0;

  constructor(private readonly metrics: BackplaneMetrics) {}

  /** Why there is no room for another publication. */
  refusal(): BackplaneError | undefined {
    if (this.#publications < MAX_PUBLICATIONS && this.#bytes < MAX_BYTES) return undefined;
    this.metrics.published.add('overloaded');
    return new BackplaneError('overloaded', `Redis has not replied to ${this.#publications} publications.`);
  }

  /** Counts a publication until it settles; `own` connections of this node get it, which do not count as reached. */
  begin(bytes: number, own: number): PublishSettlement<PublishOutcome> {
    this.#publications++;
    this.#bytes += bytes;
    return new PublicationInFlight(this, bytes, own);
  }

  end(bytes: number, outcome: 'ok' | BackplaneError['reason']): void {
    this.#publications--;
    this.#bytes -= bytes;
    this.metrics.published.add(outcome);
  }
}

class PublicationInFlight implements PublishSettlement<PublishOutcome> {
  constructor(
    private readonly inFlight: RedisInFlight,
    private readonly bytes: number,
    private readonly own: number,
  ) {}

  fulfilled(receivers: number): PublishOutcome {
    this.inFlight.end(this.bytes, 'ok');
    return { nodes: Math.max(0, receivers - this.own) };
  }

  rejected(error: Error): never {
    const failure = asBackplaneError(error);
    this.inFlight.end(this.bytes, failure.reason);
    throw failure;
  }
}
