// More nodes than this at a time are not known of; forgetting one only lets a late message through.
const MAX_ORIGINS = 2_048;

/**
 * Tells what comes too late. A Redis that was frozen says what it had been told before when it goes on, also to the
 * nodes that have long listened to its successor: a cluster's masters pass publications on to their replicas.
 */
export class RedisOrder {
  /** By origin and partition, the number of the last publication. */
  readonly #last = new Map<string, Map<number, number>>();

  /** Whether nothing that the origin said after it, in its partition, has come before it. */
  isNext(origin: string, partition: number, sequence: number): boolean {
    let partitions = this.#last.get(origin);
    if (partitions === undefined) {
      this.#forgetOldest();
      this.#last.set(origin, (partitions = new Map()));
    }
    if (sequence <= (partitions.get(partition) ?? -1)) return false;
    partitions.set(partition, sequence);
    return true;
  }

  #forgetOldest(): void {
    if (this.#last.size < MAX_ORIGINS) return;
    const [oldest] = this.#last.keys();
    if (oldest !== undefined) this.#last.delete(oldest);
  }
}
