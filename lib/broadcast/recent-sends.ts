// More rooms than are in flight at a time. A connection in two rooms of a send that was forgotten gets it twice.
const MAX_ROOMS = 10_000;
const NO_ROOMS: ReadonlySet<string> = new Set();

/** The rooms in which this node has received a send to several rooms, for the most recent sends of other nodes. */
export class RecentSends {
  readonly #sends = new Map<string, Set<string>>();
  #rooms = 0;

  /** The number of rooms kept, over all sends. */
  get size(): number {
    return this.#rooms;
  }

  /** The rooms in which the send was received so far; a live view. */
  roomsOf(sendId: string): ReadonlySet<string> {
    return this.#sends.get(sendId) ?? NO_ROOMS;
  }

  /** The send was received in one more room. */
  add(sendId: string, room: string): void {
    let rooms = this.#sends.get(sendId);
    if (rooms === undefined) this.#sends.set(sendId, (rooms = new Set()));
    const before = rooms.size;
    this.#rooms += rooms.add(room).size - before;
    for (const [oldest, { size }] of this.#sends) {
      if (this.#rooms <= MAX_ROOMS) return;
      this.#sends.delete(oldest);
      this.#rooms -= size;
    }
  }
}
