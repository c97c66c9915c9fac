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
    const { tables, reservations } = await read();
    if (this.#early !== early) return; // connected anew in the meantime: that snapshot is the fresher one
    this.#early = undefined;
    this.#tables = new Map(tables.map((table) => [table.id, table]));
    this.#reservations = new Map(reservations.map((reservation) => [reservation.id, reservation]));
    for (const event of early) this.#apply(event);
    this.#changed();
  }

  hear(event: VenueEvent): void {
    if (this.#early) {
      this.#early.push(event);
      return;
    }
    this.#apply(event);
    this.#changed();
  }

  #apply(event: VenueEvent): void {
    switch (event.type) {
      case 'reservation:created':
        return void this.#reservations.set(event.payload.id, event.payload);
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

  #update({ id, ...change }: ReservationUpdated): void {
    const reservation = this.#reservations.get(id);
    if (reservation) this.#reservations.set(id, { ...reservation, ...change });
  }

  #setStatus({ tableId, status }: TableStatusChanged): void {
    const table = this.#tables.get(tableId);
    if (table) this.#tables.set(tableId, { ...table, status });
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
