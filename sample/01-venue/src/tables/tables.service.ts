import { Injectable, NotFoundException } from '@nestjs/common';
import { Broadcaster } from 'nestjs-realtime';
import { type Table, type TableStatus, type venue, VENUE_ROOM } from '../contract.js';
import { readVenueFile, tablesIn } from '../venue-file.js';

@Injectable()
export class TablesService {
  private readonly tables = new Map(tablesIn(readVenueFile()).map((table) => [table.id, table]));

  constructor(private readonly broadcaster: Broadcaster<typeof venue>) {}

  all(): Table[] {
    return [...this.tables.values()];
  }

  get(tableId: string): Table {
    const table = this.tables.get(tableId);
    if (!table) throw new NotFoundException('This house has no such table.');
    return table;
  }

  async setStatus(tableId: string, status: TableStatus): Promise<Table> {
    const table = { ...this.get(tableId), status };
    this.tables.set(tableId, table);
    await this.broadcaster.sendToRoom(VENUE_ROOM, {
      type: 'table:status_changed',
      payload: { tableId, status },
    });
    return table;
  }
}
