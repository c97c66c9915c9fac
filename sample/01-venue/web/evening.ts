import type {
  Reservation,
  ReservationUpdated,
  Table,
  TableStatusChanged,
  VenueEvent,
} from '../src/contract.js';

export interface Snapshot {
  readonly tables: readonly Table[];
  readonly reservations: readonly Reservation[];
}

/** What this window knows of the floor: a snapshot, and since then what was said. */
export class Evening {
  #tables = new Map<string, Table>();
  #reservations = new Map<string, Reservation>();
  #early: VenueEvent[] | undefined;
  readonly #watchers: (() => void)[] = [];

  get tables(): Table[] {
    return [...this.#tables.values()];
  }

  table(id: string): Table | undefined {
    return this.#tables.get(id);
  }

  /** Sorted by time. */
  get reservations(): Reservation[] {
    return [...this.#reservations.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  }

  reservationsAt(tableId: string): Reservation[] {
    return this.reservations.filter((reservation) => reservation.tableId === tableId);
  }

  watch(watcher: () => void): void {
    this.#watchers.push(watcher);
  }

  /** Takes a fresh snapshot. What is said while it is on its way is kept, and applied on top of it. */
  async catchUp(read: () => Promise<Snapshot>): Promise<void> {
    const early: VenueEvent[] = (this.#early = []);
    try {
      const { tables, reservations } = await read();
      if (this.#early !== early) return; // asked anew in the meantime: that snapshot is the fresher one
      this.#tables = new Map(tables.map((table) => [table.id, table]));
      this.#reservations = new Map(reservations.map((reservation) => [reservation.id, reservation]));
    } finally {
      this.#settle(early);
    }
  }

  /** Takes a snapshot once more if none is on its way; what is known stays when that fails. */
  async lookAgain(read: () => Promise<Snapshot>): Promise<void> {
    if (!this.#early) await this.catchUp(read).catch(() => {});
  }

  hear(event: VenueEvent): void {
    if (this.#early) {
      this.#early.push(event);
      return;
    }
    this.#apply(event);
    this.#changed();
  }

  #settle(early: readonly VenueEvent[]): void {
    if (this.#early !== early) return;
    this.#early = undefined;
    for (const event of early) this.#apply(event);
    this.#changed();
  }

  #apply(event: VenueEvent): void {
    switch (event.type) {
      case 'reservation:created':
        return this.#add(event.payload);
      case 'reservation:updated':
        return this.#update(event.payload);
      case 'table:status_changed':
        return this.#setStatus(event.payload);
      case 'notification':
        return; // said to a person; the floor is as it was
      default:
        event satisfies never; // a new server message that this page ignores does not compile
    }
  }

  #add(reservation: Reservation): void {
    const known = this.#reservations.get(reservation.id);
    if (!known || isNews(reservation, known)) this.#reservations.set(reservation.id, reservation);
  }

  #update(change: ReservationUpdated): void {
    const known = this.#reservations.get(change.id);
    if (known && isNews(change, known)) this.#reservations.set(change.id, { ...known, ...change });
  }

  #setStatus({ tableId, status, version }: TableStatusChanged): void {
    const known = this.#tables.get(tableId);
    if (known && isNews({ version }, known)) this.#tables.set(tableId, { ...known, status, version });
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

/** Whether it was said after what is known; two nodes may overtake each other on the way here. */
function isNews(said: { version: number }, known: { version: number }): boolean {
  return said.version > known.version;
}
