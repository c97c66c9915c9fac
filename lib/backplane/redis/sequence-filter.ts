// More nodes than this at a time are not known of; forgetting one only lets a late message through.
const MAX_ORIGINS = 2_048;
// What a frozen Redis had been told comes in a burst of at most 32 MB, its limit for one subscriber's output.
const BURST_MS = 2_000;

interface Mark {
  /** The largest number so far. */
  highest: number;
  /** Since when smaller numbers have come, one after another, and no larger one. */
  doubtedSince: number | undefined;
  smaller: number;
}

/**
 * Tells what comes too late. A Redis that was frozen says what it had been told before when it goes on, also to the
 * nodes that have long listened to its successor: a cluster's masters pass publications on to their replicas. A number
 * is only a claim, which anyone who may publish can make: one that its node does not go on from is dropped after 2 s.
 */
export class SequenceFilter {
  /** By origin and partition. */
  readonly #marks = new Map<string, Map<number, Mark>>();

  /** Whether nothing that the origin said after it, in its partition, has come before it. */
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

/** Whether the origin has gone on below the mark for longer than a late burst lasts. */
function wasFalse(mark: Mark, sequence: number): boolean {
  const now = performance.now();
  if (mark.doubtedSince === undefined || sequence <= mark.smaller) mark.doubtedSince = now;
  mark.smaller = sequence;
  return now - mark.doubtedSince >= BURST_MS;
}
