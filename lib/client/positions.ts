/** `user`, `all` and 100 rooms: what `$resume` may name. */
const MAX_CHANNELS = 102;

/** The newest position received per channel with history; `$resume` offers them. */
export class Positions {
  readonly #positions = new Map<string, string>();

  /** Stores the position of a delivered message; above the limit the channel that was silent longest is dropped. */
  update({ channel, position }: { readonly channel?: unknown; readonly position?: unknown }): void {
    const positions = this.#positions;
    if (typeof channel !== 'string' || typeof position !== 'string') return;
    positions.delete(channel);
    positions.set(channel, position);
    for (const oldest of positions.keys()) if (positions.size > MAX_CHANNELS) positions.delete(oldest);
  }

  toJSON(): Record<string, string> {
    return Object.fromEntries(this.#positions);
  }
}
