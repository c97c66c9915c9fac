import type { Reservation } from '../src/contract.js';
import { find, ViewList } from './element.js';
import type { Evening } from './evening.js';
import { createReservationRow, type RowContext } from './reservation-row.js';

/** The evening's reservations by time. */
export function showReservationList(evening: Evening, context: RowContext): void {
  const rows = new ViewList<Reservation>(find('reservations', HTMLOListElement), () =>
    createReservationRow(context),
  );
  const summary = find('guests-expected', HTMLElement);

  evening.watch(() => {
    const { reservations } = evening;
    rows.show(reservations);
    const expected = reservations.filter(({ status }) => status === 'booked');
    const guests = expected.reduce((sum, { partySize }) => sum + partySize, 0);
    summary.textContent = `${guests} guests in ${expected.length} parties still to come`;
  });
}
