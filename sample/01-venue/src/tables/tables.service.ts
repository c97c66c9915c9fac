import { Injectable, NotFoundException } from '@nestjs/common';
import { Broadcaster } from 'nestjs-realtime';
import { Book, type Page } from '../book/book.js';
import { type Table, type TableStatus, type venue, VENUE_ROOM } from '../contract.js';

@Injectable()
export class TablesService {
  constructor(
    private readonly book: Book,
    private readonly broadcaster: Broadcaster<typeof venue>,
  ) {}

  async all(): Promise<Table[]> {
    return [...(await this.book.read()).tables.values()].sort((a, b) => a.number - b.number);
  }

  /** Gives a table the status that is right for the page as it stands. */
  async setStatus(tableId: string, decide: (page: Page) => TableStatus): Promise<Table> {
    const { page, tables } = await this.book.change((page) => {
      const table = tableOn(page, tableId);
      const status = decide(page);
      return { tables: status === table.status ? [] : [{ ...table, status }] };
    });
    for (const { status, version } of tables) {
      await this.broadcaster.sendToRoom(VENUE_ROOM, {
        type: 'table:status_changed',
        payload: { tableId, status, version },
      });
    }
    return tableOn(page, tableId);
  }
}

export function tableOn({ tables }: Page, tableId: string): Table {
  const table = tables.get(tableId);
  if (!table) throw new NotFoundException('This house has no such table.');
  return table;
}
