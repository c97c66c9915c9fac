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

/** The state of the floor in this window: a snapshot, and the events since then. */
export class FloorState {
  #tables = new Map<string, Table>();
  #reservations = new Map<string, Reservation>();
  /** The version of the last event per table or reservation field since the snapshot. */
  readonly #versions = new Map<string, number>();
  #queued: VenueEvent[] | undefined;
  readonly #listeners: (() => void)[] = [];

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

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Reads a snapshot. Events that arrive meanwhile are queued and applied on top of it. */
  async catchUp(read: () => Promise<Snapshot>): Promise<void> {
    const queued: VenueEvent[] = (this.#queued = []);
    try {
      const { tables, reservations } = await read();
      if (this.#queued !== queued) return; // a later snapshot was requested meanwhile
      this.#versions.clear();
      this.#tables = new Map(tables.map((table) => [table.id, table]));
      this.#reservations = new Map(reservations.map((reservation) => [reservation.id, reservation]));
    } finally {
      this.#settle(queued);
    }
  }

  /** Reads a snapshot again unless one is being read; a failure leaves the state unchanged. */
  async refresh(read: () => Promise<Snapshot>): Promise<void> {
    if (!this.#queued) await this.catchUp(read).catch(() => {});
  }

  receive(event: VenueEvent): void {
    if (this.#queued) {
      this.#queued.push(event);
      return;
    }
    this.#apply(event);
    this.#changed();
  }

  #settle(queued: readonly VenueEvent[]): void {
    if (this.#queued !== queued) return;
    this.#queued = undefined;
    for (const event of queued) this.#apply(event);
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
        return; // does not change the floor
      default:
        event satisfies never; // a new server message that this page ignores does not compile
    }
  }

  #add(reservation: Reservation): void {
    if (!this.#reservations.has(reservation.id)) this.#reservations.set(reservation.id, reservation);
  }

  // Field by field: an earlier change of another field may arrive later and still applies.
  #update({ id, version, ...change }: ReservationUpdated): void {
    const known = this.#reservations.get(id);
    if (!known) return;
    const newer = Object.entries(change).filter(([field]) => this.#isNewer(`${id} ${field}`, version, known));
    this.#reservations.set(id, { ...known, ...Object.fromEntries(newer) });
  }

  #setStatus({ tableId, status, version }: TableStatusChanged): void {
    const known = this.#tables.get(tableId);
    if (known && this.#isNewer(tableId, version, known)) this.#tables.set(tableId, { ...known, status });
  }

  /** Whether the event is newer than the state: events of two nodes may arrive out of order, those of one node never do. */
  #isNewer(what: string, version: number | undefined, read: Table | Reservation): boolean {
    if (version === undefined) return true;
    if (version <= (this.#versions.get(what) ?? read.version ?? 0)) return false;
    this.#versions.set(what, version);
    return true;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
