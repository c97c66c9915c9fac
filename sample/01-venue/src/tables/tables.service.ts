import { Injectable, NotFoundException } from '@nestjs/common';
import { Broadcaster } from 'nestjs-realtime';
import { VenueStore, type VenueState } from '../store/venue-store.js';
import { type Table, type TableStatus, type venue, VENUE_ROOM } from '../contract.js';

@Injectable()
export class TablesService {
  constructor(
    private readonly store: VenueStore,
    private readonly broadcaster: Broadcaster<typeof venue>,
  ) {}

  async all(): Promise<Table[]> {
    const { tables } = await this.store.read();
    return [...tables.values()]
      .sort((a, b) => a.number - b.number)
      .map((table) => this.store.toClient(table));
  }

  /** Sets the status that `decide` returns for the current state. */
  async setStatus(tableId: string, decide: (state: VenueState) => TableStatus): Promise<Table> {
    const { state, tables } = await this.store.update((state) => {
      const table = tableOn(state, tableId);
      const status = decide(state);
      return { tables: status === table.status ? [] : [{ ...table, status }] };
    });
    for (const { status, version } of tables.map((table) => this.store.toClient(table))) {
      await this.broadcaster.sendToRoom(VENUE_ROOM, {
        type: 'table:status_changed',
        payload: { tableId, status, version },
      });
    }
    return this.store.toClient(tableOn(state, tableId));
  }
}

export function tableOn({ tables }: VenueState, tableId: string): Table {
  const table = tables.get(tableId);
  if (!table) throw new NotFoundException('There is no such table.');
  return table;
}
