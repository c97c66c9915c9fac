/** Whose connections are counted together. */
export type CountKind = 'ip' | 'user';

/**
 * Places for the connections of one IP or user. At most `max` of them are held at a time, over all nodes that share the
 * driver; who was given one holds it until `release`, or until its node dies.
 */
export interface ConnectionCounts {
  /** Whether there was a place for this connection. Never rejects. */
  take(kind: CountKind, key: string, connectionId: string, max: number): boolean | Promise<boolean>;
  /** Gives back a place that was taken. */
  release(kind: CountKind, key: string, connectionId: string): void;
  start(): void;
  stop(): void;
}

/** How many there are of each key; a key without any takes no memory. */
export class DeliveryCounts {
  readonly #counts = new Map<string, number>();
  #total = 0;

  get total(): number {
    return this.#total;
  }

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string): void {
    this.#total++;
    this.#counts.set(key, this.of(key) + 1);
  }

  remove(key: string): void {
    const count = this.of(key);
    if (count === 0) return;
    this.#total--;
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
  }
}

/** The counts of one process; answers at once. */
export class MemoryConnectionCounts implements ConnectionCounts {
  readonly #taken = { ip: new DeliveryCounts(), user: new DeliveryCounts() };

  take(kind: CountKind, key: string, _connectionId: string, max: number): boolean {
    const taken = this.#taken[kind];
    if (taken.of(key) >= max) return false;
    taken.add(key);
    return true;
  }

  release(kind: CountKind, key: string): void {
    this.#taken[kind].remove(key);
  }

  // Nothing runs: a place in memory dies with its process.
  start(): void {}

  stop(): void {}
}
