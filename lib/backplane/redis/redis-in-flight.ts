import type { BackplaneMetrics } from '../../metrics/backplane-metrics.js';
import type { PublishOutcome } from '../backplane.js';
import { BackplaneError } from '../backplane-error.js';
import { asBackplaneError } from './client/redis-error.js';
import type { PublishSettlement } from './pubsub/redis-publisher.js';

// More than this are not answered yet: Redis is slow, and queueing would only hide it.
const MAX_PUBLICATIONS = 10_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** The publications that Redis has not answered yet: bounded, counted, and told what became of them. */
export class RedisInFlight {
  #publications = 0;
  #bytes = 0;

  constructor(private readonly metrics: BackplaneMetrics) {}

  /** Why there is no room for another one. */
  refusal(): BackplaneError | undefined {
    if (this.#publications < MAX_PUBLICATIONS && this.#bytes < MAX_BYTES) return undefined;
    return this.#counted(
      new BackplaneError('overloaded', `Redis has not answered ${this.#publications} publications.`),
    );
  }

  /** Takes one in; `own` is how many of the connections that hear it are this node's, which does not hear itself. */
  begin(bytes: number, own: number): PublishSettlement<PublishOutcome> {
    this.#publications++;
    this.#bytes += bytes;
    return new Publishing(this, bytes, own);
  }

  fulfilled(bytes: number): void {
    this.#end(bytes);
    this.metrics.published.add('ok');
  }

  failed(bytes: number, error: Error): BackplaneError {
    this.#end(bytes);
    return this.#counted(asBackplaneError(error));
  }

  #end(bytes: number): void {
    this.#publications--;
    this.#bytes -= bytes;
  }

  #counted(error: BackplaneError): BackplaneError {
    this.metrics.published.add(error.reason);
    return error;
  }
}

class Publishing implements PublishSettlement<PublishOutcome> {
  constructor(
    private readonly inFlight: RedisInFlight,
    private readonly bytes: number,
    private readonly own: number,
  ) {}

  fulfilled(receivers: number): PublishOutcome {
    this.inFlight.fulfilled(this.bytes);
    return { nodes: Math.max(0, receivers - this.own) };
  }

  failed(error: Error): never {
    throw this.inFlight.failed(this.bytes, error);
  }
}
