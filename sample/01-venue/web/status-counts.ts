import type { TableStatus } from '../src/contract.js';
import { element, find } from './element.js';
import type { FloorState } from './floor-state.js';
import { tableStatus } from './labels.js';

const statuses: readonly TableStatus[] = ['free', 'reserved', 'occupied'];

/** The number of tables by status; also the legend of the plan. */
export function showStatusCounts(floor: FloorState): void {
  const list = find('status-counts', HTMLUListElement);
  floor.onChange(() => {
    list.replaceChildren(...statuses.map((status) => entry(floor, status)));
  });
}

function entry({ tables }: FloorState, status: TableStatus): HTMLLIElement {
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
