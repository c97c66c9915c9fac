import type { TableStatus } from '../src/contract.js';
import { element, find } from './element.js';
import type { Evening } from './evening.js';
import { tableStatus } from './wording.js';

const statuses: readonly TableStatus[] = ['free', 'reserved', 'occupied'];

/** How many tables are in which state; also the legend of the plan. */
export function showTally(evening: Evening): void {
  const list = find('tally', HTMLUListElement);
  evening.watch(() => {
    list.replaceChildren(...statuses.map((status) => entry(evening, status)));
  });
}

function entry({ tables }: Evening, status: TableStatus): HTMLLIElement {
  const count = tables.filter((table) => table.status === status).length;
  const swatch = element('span', { className: 'swatch' });
  const item = element(
    'li',
    {},
    swatch,
    element('strong', { textContent: String(count) }),
    tableStatus(status),
  );
  item.dataset['status'] = status;
  return item;
}
