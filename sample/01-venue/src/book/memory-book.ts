import { type BookStore, type Entry, type Page, turned } from './book.js';

/** The book of a house with one server; a fresh one whenever that starts. */
export class MemoryBook implements BookStore {
  private page: Page;

  constructor(opening: Entry) {
    this.page = turned({ version: 0, tables: new Map(), reservations: new Map() }, opening);
  }

  async read(): Promise<Page> {
    return this.page;
  }

  async write(version: number, entry: Entry): Promise<boolean> {
    if (version !== this.page.version) return false;
    this.page = turned(this.page, entry);
    return true;
  }
}
