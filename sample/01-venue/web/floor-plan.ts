import type { Table } from '../src/contract.js';
import type { Area } from '../src/venue-file.js';
import { element, type View, ViewList } from './element.js';
import type { FloorState } from './floor-state.js';
import { drawTable, footprint } from './table-drawing.js';
import { party, tableLabel, tableStatus, when } from './labels.js';

/** The floor plan, area by area; every table is a button. */
export class FloorPlan {
  #selected: string | undefined;
  readonly #plans = new Map<string, ViewList<Table>>();
  readonly #buttons = new Map<string, HTMLButtonElement>();

  constructor(
    root: HTMLElement,
    areas: readonly Area[],
    private readonly floor: FloorState,
    private readonly onSelect: (tableId: string) => void,
  ) {
    root.append(...areas.map((area) => this.#drawArea(area)));
    floor.onChange(() => this.#show());
  }

  /** Without a table: the panel was closed, and its table gets the focus back. */
  select(tableId: string | undefined): void {
    if (!tableId && this.#selected) this.#buttons.get(this.#selected)?.focus();
    this.#selected = tableId;
    this.#show();
    if (tableId) this.#buttons.get(tableId)?.scrollIntoView({ block: 'nearest' });
  }

  #drawArea({ id, name, width, height }: Area): HTMLElement {
    const plan = element('div', { className: 'plan' });
    plan.style.setProperty('--width', String(width));
    plan.style.setProperty('--height', String(height));
    this.#plans.set(id, new ViewList<Table>(plan, (table) => this.#createTable(table)));

    const heading = element('h3', { id: `area-${id}`, textContent: name });
    const area = element('section', { className: 'area' }, heading, plan);
    area.dataset['area'] = id;
    area.setAttribute('aria-labelledby', heading.id);
    return area;
  }

  #createTable(table: Table): View<Table> {
    const number = element('span', { className: 'number', textContent: String(table.number) });
    const word = element('span', { className: 'word' });
    const root = element('button', { type: 'button', className: 'table' }, number, word);
    this.#buttons.set(table.id, root);
    root.onclick = () => this.onSelect(table.id);
    root.prepend(drawTable(table));
    place(root, table);

    return {
      root,
      show: (shown) => {
        root.dataset['status'] = shown.status;
        root.ariaLabel = tableLabel(shown);
        root.ariaPressed = String(shown.id === this.#selected);
        word.textContent = tableStatus(shown.status);
        const next = this.floor.reservationsAt(shown.id).find(({ status }) => status === 'booked');
        root.title = next ? `Next: ${when(next.at)}, ${next.guestName}, ${party(next)}` : 'No booking';
      },
    };
  }

  #show(): void {
    for (const [area, plan] of this.#plans) {
      plan.show(this.floor.tables.filter((table) => table.area === area));
    }
  }
}

function place({ style }: HTMLElement, table: Table): void {
  const { width, height } = footprint(table);
  for (const [name, value] of Object.entries({ x: table.x, y: table.y, w: width, h: height })) {
    style.setProperty(`--${name}`, String(value));
  }
}
