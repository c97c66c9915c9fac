/** How long after the old link a message may still come that it had brought already. */
const AFTERMATH_MS = 5_000;

/**
 * Tells the second copy of a message while two links of one session are open. Each link brings a message once, as the
 * same text, so of k copies on one and m on the other max(k, m) are news.
 */
export class Overlap<Link> {
  /** How many more copies of a text came on the old link than on the new one. */
  readonly #surplus = new Map<string, number>();
  #endsAt = Infinity;

  constructor(private readonly old: Link) {}

  isRepeated(link: Link, text: string): boolean {
    const step = link === this.old ? 1 : -1;
    const surplus = this.#surplus.get(text) ?? 0;
    this.#surplus.set(text, surplus + step);
    return surplus * step < 0;
  }

  /** The old link has ended. */
  end(now: number): void {
    this.#endsAt = Math.min(this.#endsAt, now + AFTERMATH_MS);
  }

  isOver(now: number): boolean {
    return now > this.#endsAt;
  }
}
