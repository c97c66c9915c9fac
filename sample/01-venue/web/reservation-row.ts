import type { Reservation, ReservationStatus } from '../src/contract.js';
import { element, type View } from './element.js';
import { party, reservationStatus, when } from './labels.js';

export interface RowContext {
  tableName(tableId: string): string;
  change(reservation: Reservation, status: ReservationStatus): void;
}

/** One reservation with its actions. */
export function createReservationRow({ tableName, change }: RowContext): View<Reservation> {
  const time = element('time', { className: 'row-time' });
  const guest = element('span', { className: 'row-guest' });
  const details = element('span', { className: 'row-details' });
  const status = element('span', { className: 'badge' });
  const seat = element('button', { type: 'button', className: 'small', textContent: 'Seat' });
  const cancel = element('button', { type: 'button', className: 'small quiet', textContent: 'Cancel' });
  const actions = element('span', { className: 'row-actions' }, seat, cancel);
  const root = element('li', { className: 'row', tabIndex: -1 }, time, guest, details, status, actions);

  return {
    root,
    show: (reservation) => {
      const { at, guestName } = reservation;
      root.dataset['status'] = reservation.status;
      time.dateTime = at;
      time.textContent = when(at);
      guest.textContent = guestName;
      details.textContent = `${tableName(reservation.tableId)} · ${party(reservation)}`;
      status.textContent = reservationStatus(reservation.status);
      seat.ariaLabel = `Seat ${guestName}, ${when(at)}`;
      cancel.ariaLabel = `Cancel ${guestName}, ${when(at)}`;
      seat.onclick = () => change(reservation, 'seated');
      cancel.onclick = () => change(reservation, 'cancelled');
      hideWithFocus(actions, reservation.status !== 'booked', root);
    },
  };
}

// Hiding the focused button would move the focus to the top of the page.
function hideWithFocus(actions: HTMLElement, hidden: boolean, fallback: HTMLElement): void {
  const hadFocus = actions.contains(document.activeElement);
  actions.hidden = hidden;
  if (hidden && hadFocus) fallback.focus();
}
