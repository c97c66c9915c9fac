import { Inject, Injectable } from '@nestjs/common';
import type { Reservation, Table } from '../contract.js';

/** The evening as it stood at one moment. */
export interface Page {
  /** Grows with every change. */
  readonly version: number;
  readonly tables: ReadonlyMap<string, Table>;
  readonly reservations: ReadonlyMap<string, Reservation>;
}

/** What one change writes. */
export interface Entry {
  readonly tables?: readonly Table[];
  readonly reservations?: readonly Reservation[];
}

/** Where the evening is written down: in this process, or for any number of them in Redis. */
export interface BookStore {
  read(): Promise<Page>;
  /** Writes on top of exactly this version; false when somebody was quicker. */
  write(version: number, entry: Entry): Promise<boolean>;
}

export const BOOK_STORE = Symbol('book store');

/** The house's reservations book. */
@Injectable()
export class Book {
  constructor(@Inject(BOOK_STORE) private readonly store: BookStore) {}

  read(): Promise<Page> {
    return this.store.read();
  }

  /**
   * Looks and writes as one step, also between processes: of two hosts who book the same table, one sees the other's
   * entry. `decide` runs again when somebody was quicker. Resolves with what was written, and the page after it.
   */
  async change(decide: (page: Page) => Entry): Promise<Required<Entry> & { page: Page }> {
    for (;;) {
      const before = await this.store.read();
      const version = before.version + 1;
      const { tables = [], reservations = [] } = decide(before);
      const entry = {
        tables: tables.map((table) => ({ ...table, version })),
        reservations: reservations.map((reservation) => ({ ...reservation, version })),
      };
      if (tables.length + reservations.length === 0) return { ...entry, page: before };
      if (await this.store.write(before.version, entry)) return { ...entry, page: turned(before, entry) };
    }
  }
}

/** The page with an entry on it. */
export function turned({ version, tables, reservations }: Page, entry: Entry): Page {
  return {
    version: version + 1,
    tables: new Map([...tables, ...byId(entry.tables)]),
    reservations: new Map([...reservations, ...byId(entry.reservations)]),
  };
}

function byId<Item extends { id: string }>(items: readonly Item[] = []): [string, Item][] {
  return items.map((item) => [item.id, item]);
}
