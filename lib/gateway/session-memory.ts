// Those of a whole node that comes back at once, and what a flood of short connections may take: some 15 MB.
const MAX_SESSIONS = 100_000;

/**
 * Which sessions this node has served lately. It still knows what their messages were answered; of any other, one from
 * before a restart or from another node, it does not, and says so.
 */
export class SessionMemory {
  /** Ended sessions and when, oldest first. */
  readonly #ended = new Map<string, number>();

  /** How long answers are remembered; `false` when they are not. */
  constructor(private readonly ttlMs: number | false) {}

  get size(): number {
    return this.#ended.size;
  }

  /** A connection of the session is gone. */
  ended(sessionId: string): void {
    if (this.ttlMs === false) return;
    const now = performance.now();
    for (const [old, endedAt] of this.#ended) {
      if (now - endedAt < this.ttlMs && this.#ended.size < MAX_SESSIONS) break;
      this.#ended.delete(old);
    }
    this.#ended.delete(sessionId);
    this.#ended.set(sessionId, now);
  }

  remembers(sessionId: string): boolean {
    const endedAt = this.#ended.get(sessionId);
    return this.ttlMs !== false && endedAt !== undefined && performance.now() - endedAt < this.ttlMs;
  }
}
