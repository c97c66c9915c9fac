/** Whose connections are counted together. */
export type PlaceKind = 'ip' | 'user';

/**
 * Places for the connections of one IP or user. At most `max` of them are held at a time, over all nodes that share the
 * driver; who was given one holds it until `giveBack`, or until its node dies.
 */
export interface ConnectionPlaces {
  /** Whether there was a place for this connection. Never rejects. */
  take(kind: PlaceKind, key: string, connectionId: string, max: number): boolean | Promise<boolean>;
  /** Gives back a place that was taken. */
  giveBack(kind: PlaceKind, key: string, connectionId: string): void;
  start(): void;
  stop(): void;
}

/** The places of one process; answers at once. */
export class MemoryPlaces implements ConnectionPlaces {
  readonly #taken = { ip: new Map<string, number>(), user: new Map<string, number>() };

  take(kind: PlaceKind, key: string, _connectionId: string, max: number): boolean {
    const taken = this.#taken[kind].get(key) ?? 0;
    if (taken >= max) return false;
    this.#taken[kind].set(key, taken + 1);
    return true;
  }

  giveBack(kind: PlaceKind, key: string): void {
    const taken = this.#taken[kind].get(key) ?? 0;
    if (taken > 1) this.#taken[kind].set(key, taken - 1);
    else this.#taken[kind].delete(key);
  }

  // Nothing runs: a place in memory dies with its process.
  start(): void {}

  stop(): void {}
}
