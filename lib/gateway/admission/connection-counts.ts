/** What connections are counted by. */
export type CountKind = 'ip' | 'user';

/**
 * Counts the connections of one IP or user, over all nodes that share the driver. At most `max` connections are counted at
 * a time; each counts until `release`, or until its node dies.
 */
export interface ConnectionCounts {
  /** Counts a connection; false when `max` are counted already. Never rejects. */
  acquire(kind: CountKind, key: string, connectionId: string, max: number): boolean | Promise<boolean>;
  /** Stops counting a connection that was counted. */
  release(kind: CountKind, key: string, connectionId: string): void;
}

/** A count for each key; a key whose count is zero takes no memory. */
export class KeyCounts {
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

/** The counts of one process; synchronous. */
export class MemoryConnectionCounts implements ConnectionCounts {
  readonly #acquired = { ip: new KeyCounts(), user: new KeyCounts() };

  acquire(kind: CountKind, key: string, _connectionId: string, max: number): boolean {
    const acquired = this.#acquired[kind];
    if (acquired.of(key) >= max) return false;
    acquired.add(key);
    return true;
  }

  release(kind: CountKind, key: string): void {
    this.#acquired[kind].remove(key);
  }
}
