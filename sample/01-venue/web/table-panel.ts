import type { Reservation, Table, TableStatus } from '../src/contract.js';
import type { Area } from '../src/venue-file.js';
import { find, ViewList } from './element.js';
import type { FloorState } from './floor-state.js';
import { NOT_CONNECTED } from './pending-request.js';
import { errorText } from './error-text.js';
import { createReservationRow, type RowContext } from './reservation-row.js';
import { tableStatus } from './labels.js';

interface PanelActions extends RowContext {
  setStatus(tableId: string, status: TableStatus, onDisconnected: () => void): Promise<unknown>;
  warn(text: string): void;
  reserve(tableId: string): void;
  onClose(): void;
}

/** The table chosen on the plan, with its reservations and actions. */
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
    private readonly floor: FloorState,
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
    floor.onChange(() => this.#show());
  }

  select(tableId: string | undefined): void {
    this.#tableId = tableId;
    this.#outcome.textContent = '';
    this.#show();
    if (tableId) this.#heading.focus();
  }

  async #set(status: TableStatus): Promise<void> {
    const table = this.#tableId ? this.floor.table(this.#tableId) : undefined;
    if (!table || table.status === status) return;
    this.#showOutcome('', 'waiting', table);
    try {
      await this.actions.setStatus(table.id, status, () =>
        this.#showOutcome(NOT_CONNECTED, 'waiting', table),
      );
      this.#showOutcome('', 'waiting', table);
    } catch (error) {
      const text = errorText(error);
      // The user may have chosen another table meanwhile.
      if (this.#tableId === table.id) this.#showOutcome(text, 'bad', table);
      else this.actions.warn(`Table ${table.number}: ${text}`);
    }
  }

  #showOutcome(text: string, kind: 'bad' | 'waiting', { id }: Table): void {
    if (this.#tableId !== id) return;
    this.#outcome.textContent = text;
    this.#outcome.dataset['kind'] = kind;
  }

  #show(): void {
    const table = this.#tableId ? this.floor.table(this.#tableId) : undefined;
    this.#root.dataset['open'] = String(table !== undefined);
    if (!table) return;
    this.#heading.textContent = `Table ${table.number}`;
    this.#place.textContent = `${this.#areaOf(table)} · seats ${table.seats}`;
    this.#badge.textContent = tableStatus(table.status);
    this.#badge.dataset['status'] = table.status;
    // Not `disabled`, so that a pressed button keeps the focus.
    for (const [status, button] of Object.entries(this.#buttons)) {
      button.ariaDisabled = String(status === table.status);
    }
    const expected = this.floor
      .reservationsAt(table.id)
      .filter(({ status }) => status === 'booked' || status === 'seated');
    this.#rows.show(expected);
  }

  #areaOf(table: Table): string {
    return this.areas.find(({ id }) => id === table.area)?.name ?? '';
  }
}
