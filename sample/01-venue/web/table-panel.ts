import type { Reservation, Table, TableStatus } from '../src/contract.js';
import type { Area } from '../src/venue-file.js';
import { find, ViewList } from './element.js';
import type { Evening } from './evening.js';
import { NOT_CONNECTED } from './patience.js';
import { inWords } from './refusal.js';
import { createReservationRow, type RowContext } from './reservation-row.js';
import { tableStatus } from './wording.js';

interface PanelActions extends RowContext {
  setStatus(tableId: string, status: TableStatus, onAway: () => void): Promise<unknown>;
  warn(text: string): void;
  reserve(tableId: string): void;
  onClose(): void;
}

/** The table that was chosen on the plan: who is expected there, and what can be done. */
export class TablePanel {
  #tableId: string | undefined;
  readonly #root = find('panel', HTMLElement);
  readonly #heading = find('panel-heading', HTMLElement);
  readonly #place = find('panel-place', HTMLElement);
  readonly #badge = find('panel-status', HTMLElement);
  readonly #outcome = find('panel-outcome', HTMLElement);
  readonly #rows: ViewList<Reservation>;
  readonly #buttons: Record<TableStatus, HTMLButtonElement> = {
    occupied: find('seat-guests', HTMLButtonElement),
    reserved: find('hold-table', HTMLButtonElement),
    free: find('free-table', HTMLButtonElement),
  };

  constructor(
    private readonly evening: Evening,
    private readonly areas: readonly Area[],
    private readonly actions: PanelActions,
  ) {
    this.#rows = new ViewList(find('panel-reservations', HTMLOListElement), () =>
      createReservationRow(actions),
    );
    for (const [status, button] of Object.entries(this.#buttons)) {
      button.onclick = () => void this.#set(status as TableStatus);
    }
    find('reserve-here', HTMLButtonElement).onclick = () => this.#tableId && actions.reserve(this.#tableId);
    find('close-panel', HTMLButtonElement).onclick = () => actions.onClose();
    this.#root.onkeydown = ({ key }) => key === 'Escape' && actions.onClose();
    evening.watch(() => this.#show());
  }

  select(tableId: string | undefined): void {
    this.#tableId = tableId;
    this.#outcome.textContent = '';
    this.#show();
    if (tableId) this.#heading.focus();
  }

  async #set(status: TableStatus): Promise<void> {
    const table = this.#tableId ? this.evening.table(this.#tableId) : undefined;
    if (!table || table.status === status) return;
    this.#say('', 'waiting', table);
    try {
      await this.actions.setStatus(table.id, status, () => this.#say(NOT_CONNECTED, 'waiting', table));
      this.#say('', 'waiting', table);
    } catch (error) {
      const words = inWords(error);
      // Whoever has turned to another table still has to know.
      if (this.#tableId === table.id) this.#say(words, 'bad', table);
      else this.actions.warn(`Table ${table.number}: ${words}`);
    }
  }

  #say(text: string, kind: 'bad' | 'waiting', { id }: Table): void {
    if (this.#tableId !== id) return;
    this.#outcome.textContent = text;
    this.#outcome.dataset['kind'] = kind;
  }

  #show(): void {
    const table = this.#tableId ? this.evening.table(this.#tableId) : undefined;
    this.#root.dataset['open'] = String(table !== undefined);
    if (!table) return;
    this.#heading.textContent = `Table ${table.number}`;
    this.#place.textContent = `${this.#areaOf(table)} · seats ${table.seats}`;
    this.#badge.textContent = tableStatus(table.status);
    this.#badge.dataset['status'] = table.status;
    // Not disabled: a button that was just pressed keeps the focus.
    for (const [status, button] of Object.entries(this.#buttons)) {
      button.ariaDisabled = String(status === table.status);
    }
    const expected = this.evening
      .reservationsAt(table.id)
      .filter(({ status }) => status === 'booked' || status === 'seated');
    this.#rows.show(expected);
  }

  #areaOf(table: Table): string {
    return this.areas.find(({ id }) => id === table.area)?.name ?? '';
  }
}
