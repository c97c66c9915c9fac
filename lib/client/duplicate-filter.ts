/** How far apart two connections may deliver one message. */
const SKEW_MS = 1_000;

interface Count {
  /** How many more copies the old connection has delivered than the new one. */
  surplus: number;
  /** The surplus over time, since when, and until when. */
  area: number;
  since: number;
  at: number;
  /** When the text arrived first. */
  readonly firstAt: number;
}

/**
 * Finds the second copy of a message while two connections of one session are open: each delivers a message once, as the same
 * text. A surplus that stays is of messages that only one connection received, so later ones are no copies of them.
 */
export class DuplicateFilter<ClientConnection> {
  /** By text, the least recently seen first; bounded by what arrives within `SKEW_MS`. */
  readonly #counts = new Map<string, Count>();
  #endsAt = Infinity;

  constructor(private readonly old: ClientConnection) {}

  isRepeated(connection: ClientConnection, text: string, now: number): boolean {
    if (now > this.#endsAt) return false;
    this.#forget(now);
    const step = connection === this.old ? 1 : -1;
    const count = this.#counts.get(text) ?? { surplus: 0, area: 0, since: now, at: now, firstAt: now };
    count.area += count.surplus * (now - count.at);
    count.at = now;
    if (now - count.since >= SKEW_MS / 2) {
      const stays = now - count.firstAt < SKEW_MS ? 0 : Math.round(count.area / (now - count.since));
      // Not between the two copies of one message: it would be delivered twice, or not at all.
      if (count.surplus * stays >= stays * stays) {
        count.surplus -= stays;
        count.area = 0;
        count.since = now;
      }
    }
    const isRepeated = count.surplus * step < 0;
    count.surplus += step;
    this.#counts.delete(text);
    this.#counts.set(text, count);
    return isRepeated;
  }

  /** How many texts are known now. */
  get size(): number {
    return this.#counts.size;
  }

  /** The old connection has ended. */
  end(now: number): void {
    this.#endsAt = Math.min(this.#endsAt, now + SKEW_MS);
  }

  #forget(now: number): void {
    for (const [text, { at }] of this.#counts) {
      if (now - at < SKEW_MS) return;
      this.#counts.delete(text);
    }
  }
}
