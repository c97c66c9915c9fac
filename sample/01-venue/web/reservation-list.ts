import type { Reservation } from '../src/contract.js';
import { find, ViewList } from './element.js';
import type { FloorState } from './floor-state.js';
import { createReservationRow, type RowContext } from './reservation-row.js';

/** Shows the reservations of the evening by time. */
export function showReservationList(floor: FloorState, context: RowContext): void {
  const rows = new ViewList<Reservation>(find('reservations', HTMLOListElement), () =>
    createReservationRow(context),
  );
  const summary = find('guests-expected', HTMLElement);

  floor.onChange(() => {
    const { reservations } = floor;
    rows.show(reservations);
    const expected = reservations.filter(({ status }) => status === 'booked');
    const guests = expected.reduce((sum, { partySize }) => sum + partySize, 0);
    summary.textContent = `${guests} guests in ${expected.length} parties still to come`;
  });
}
