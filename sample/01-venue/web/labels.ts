import type { Reservation, ReservationStatus, Table, TableStatus } from '../src/contract.js';
import type { StaffMember } from '../src/venue-file.js';

const time = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
const longDay = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' });

/** `19:30`, and the day as well when that is not today. */
export function when(at: string): string {
  const date = new Date(at);
  const today = date.toDateString() === new Date().toDateString();
  return today ? time.format(date) : `${day.format(date)}, ${time.format(date)}`;
}

export function today(): string {
  return longDay.format(new Date());
}

export function party({ partySize }: Reservation): string {
  return partySize === 1 ? '1 guest' : `${partySize} guests`;
}

export function tableStatus(status: TableStatus): string {
  return { free: 'Free', reserved: 'Reserved', occupied: 'Occupied' }[status];
}

export function reservationStatus(status: ReservationStatus): string {
  return { booked: 'Booked', seated: 'Seated', finished: 'Left', cancelled: 'Cancelled' }[status];
}

/** The accessible name of a table on the plan. */
export function tableLabel({ number, seats, status }: Table): string {
  return `Table ${number}, seats ${seats}, ${status}`;
}

/** The name of a user; users that are not in the venue file go by the name they signed in with. */
export function nameOf(userId: string, staff: readonly StaffMember[]): string {
  if (userId === 'venue') return 'The venue';
  return staff.find((member) => member.userId === userId)?.name ?? userId;
}
