import type { BackplaneMetrics } from '../../metrics/backplane-metrics.js';
import type { PublishOutcome } from '../backplane.js';
import { BackplaneError } from '../backplane-error.js';
import { asBackplaneError } from './client/redis-error.js';
import type { OwnEchoes } from './own-echoes.js';
import type { PublishSettlement } from './pubsub/publish-settlement.js';

// With more than this in flight Redis is slow, and queueing would only hide it.
const MAX_PUBLICATIONS = 10_000;
const MAX_BYTES = 64 * 1024 * 1024;
const NO_NODES: PublishOutcome = { nodes: 0 };

/** Bounds and counts the publications that Redis has not replied to. */
export class RedisInFlight {
  #publications = 0;
  #bytes = 0;

  constructor(
    private readonly metrics: BackplaneMetrics,
    private readonly echoes: OwnEchoes,
  ) {}

  /** Why there is no room for another publication. */
  refusal(): BackplaneError | undefined {
    if (this.#publications < MAX_PUBLICATIONS && this.#bytes < MAX_BYTES) return undefined;
    this.metrics.published.add('overloaded');
    return new BackplaneError('overloaded', `Redis has not replied to ${this.#publications} publications.`);
  }

  /** Counts a publication until it settles. */
  begin(bytes: number, name: string, sequence: number): PublishSettlement<PublishOutcome> {
    this.#publications++;
    this.#bytes += bytes;
    return new PublicationInFlight(this, this.echoes, bytes, name, sequence);
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
    private readonly echoes: OwnEchoes,
    private readonly bytes: number,
    private readonly name: string,
    private readonly sequence: number,
  ) {}

  fulfilled(receivers: number): PublishOutcome | Promise<PublishOutcome> {
    this.inFlight.end(this.bytes, 'ok');
    if (receivers === 0) {
      this.echoes.forget(this.sequence);
      return NO_NODES;
    }
    const own = this.echoes.countOf(this.name, this.sequence);
    return typeof own === 'number'
      ? outcomeOf(receivers, own)
      : own.then((count) => outcomeOf(receivers, count));
  }

  rejected(error: Error): never {
    this.echoes.forget(this.sequence);
    const failure = asBackplaneError(error);
    this.inFlight.end(this.bytes, failure.reason);
    throw failure;
  }
}

/** The receivers without this node itself. */
function outcomeOf(receivers: number, own: number): PublishOutcome {
  return { nodes: Math.max(0, receivers - own) };
}
