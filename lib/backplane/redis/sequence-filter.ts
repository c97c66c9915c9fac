// Bounds the memory; forgetting a node only lets a late message through.
const MAX_ORIGINS = 2_048;
// A resumed Redis flushes its output for a subscriber in one burst, of at most 32 MB by its output limit.
const BURST_MS = 2_000;

interface Mark {
  /** The largest number so far. */
  highest: number;
  /** Since when only smaller numbers have come, in growing order. */
  doubtedSince: number | undefined;
  smaller: number;
}

/**
 * Drops stale publications. A resumed Redis flushes messages that newer ones have overtaken, even to nodes that have
 * moved to its successor: a cluster's masters pass publications on to their replicas. A sequence number can be forged by
 * any publisher: one that its node does not continue from is discarded after 2 s.
 */
export class SequenceFilter {
  /** By origin and partition. */
  readonly #marks = new Map<string, Map<number, Mark>>();

  /** Whether no later publication of the origin, in its partition, has come before this one. */
  isNext(origin: string, partition: number, sequence: number): boolean {
    let partitions = this.#marks.get(origin);
    if (partitions === undefined) {
      this.#forgetOldest();
      this.#marks.set(origin, (partitions = new Map()));
    }
    const mark = partitions.get(partition);
    if (mark === undefined) {
      partitions.set(partition, { highest: sequence, doubtedSince: undefined, smaller: 0 });
      return true;
    }
    if (sequence <= mark.highest && !wasFalse(mark, sequence)) return false;
    mark.highest = sequence;
    mark.doubtedSince = undefined;
    return true;
  }

  #forgetOldest(): void {
    if (this.#marks.size < MAX_ORIGINS) return;
    const [oldest] = this.#marks.keys();
    if (oldest !== undefined) this.#marks.delete(oldest);
  }
}

/** Whether the origin has continued below the mark for longer than a late burst lasts. */
function wasFalse(mark: Mark, sequence: number): boolean {
  const now = performance.now();
  if (mark.doubtedSince === undefined || sequence <= mark.smaller) mark.doubtedSince = now;
  mark.smaller = sequence;
  return now - mark.doubtedSince >= BURST_MS;
}
