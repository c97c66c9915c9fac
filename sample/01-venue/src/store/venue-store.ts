import { Inject, Injectable } from '@nestjs/common';
import type { Reservation, Table } from '../contract.js';

/** The state of the evening at one moment. */
export interface VenueState {
  /** Grows with every change. */
  readonly version: number;
  readonly tables: ReadonlyMap<string, Table>;
  readonly reservations: ReadonlyMap<string, Reservation>;
}

/** The tables and reservations that one update writes. */
export interface StateChange {
  readonly tables?: readonly Table[];
  readonly reservations?: readonly Reservation[];
}

/** Stores the state of the evening, in this process or in Redis for several processes. */
export interface VenueDatabase {
  /** Whether other processes write here too. */
  readonly isShared: boolean;
  read(): Promise<VenueState>;
  /** Writes a change of exactly this version; false if the state has changed since. */
  write(version: number, change: StateChange): Promise<boolean>;
}

export const VENUE_DATABASE = Symbol('venue database');

/** The tables and reservations of the evening. */
@Injectable()
export class VenueStore {
  constructor(@Inject(VENUE_DATABASE) private readonly database: VenueDatabase) {}

  read(): Promise<VenueState> {
    return this.database.read();
  }

  /** An item as clients get it: without `version` if there is only one server. */
  toClient<Item extends { readonly version?: number | undefined }>(item: Item): Item {
    return this.database.isShared ? item : { ...item, version: undefined };
  }

  /**
   * Reads and writes atomically, also across processes. `decide` runs again if another write came first. Resolves with
   * what was written and the state after it.
   */
  async update(
    decide: (state: VenueState) => StateChange,
  ): Promise<Required<StateChange> & { state: VenueState }> {
    for (;;) {
      const before = await this.database.read();
      const version = before.version + 1;
      const { tables = [], reservations = [] } = decide(before);
      const change = {
        tables: tables.map((table) => ({ ...table, version })),
        reservations: reservations.map((reservation) => ({ ...reservation, version })),
      };
      if (tables.length + reservations.length === 0) return { ...change, state: before };
      if (await this.database.write(before.version, change))
        return { ...change, state: applyChange(before, change) };
    }
  }
}

/** The state after a change. */
export function applyChange({ version, tables, reservations }: VenueState, change: StateChange): VenueState {
  return {
    version: version + 1,
    tables: new Map([...tables, ...byId(change.tables)]),
    reservations: new Map([...reservations, ...byId(change.reservations)]),
  };
}

function byId<Item extends { id: string }>(items: readonly Item[] = []): [string, Item][] {
  return items.map((item) => [item.id, item]);
}
