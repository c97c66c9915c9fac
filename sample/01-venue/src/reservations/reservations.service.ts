import { randomUUID } from 'node:crypto';
import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { Broadcaster } from 'nestjs-realtime';
import { VenueStore, type VenueState } from '../store/venue-store.js';
import {
  type CreateReservation,
  type Reservation,
  type ReservationChange,
  type venue,
  VENUE_ROOM,
} from '../contract.js';
import { tableOn } from '../tables/tables.service.js';

/** How long a party keeps its table. */
export const SITTING_MS = 2 * 60 * 60 * 1000;

@Injectable()
export class ReservationsService {
  constructor(
    private readonly store: VenueStore,
    private readonly broadcaster: Broadcaster<typeof venue>,
  ) {}

  async all(): Promise<Reservation[]> {
    return byTime(await this.store.read()).map((reservation) => this.store.toClient(reservation));
  }

  async create(request: CreateReservation, hostId: string): Promise<Reservation> {
    const id = randomUUID();
    const reservation = await this.save(id, () => ({ id, ...request, hostId, status: 'booked' }));
    await this.broadcaster.sendToRoom(VENUE_ROOM, { type: 'reservation:created', payload: reservation });
    return reservation;
  }

  async update(id: string, change: ReservationChange): Promise<Reservation> {
    const changed = withoutUndefined(change);
    const reservation = await this.save(id, (state) => ({ ...reservationOn(state, id), ...changed }));
    await this.broadcaster.sendToRoom(VENUE_ROOM, {
      type: 'reservation:updated',
      payload: { id, ...changed, version: reservation.version },
    });
    return reservation;
  }

  private async save(id: string, decide: (state: VenueState) => Reservation): Promise<Reservation> {
    const { state } = await this.store.update((state) => {
      const wanted = decide(state);
      if (isExpected(wanted)) assertBookable(state, wanted);
      return { reservations: [wanted] };
    });
    return this.store.toClient(reservationOn(state, id));
  }
}

/** The reservations of a table that are booked or seated. */
export function expectedAt(tableId: string, state: VenueState): Reservation[] {
  return byTime(state).filter((reservation) => reservation.tableId === tableId && isExpected(reservation));
}

function reservationOn({ reservations }: VenueState, id: string): Reservation {
  const reservation = reservations.get(id);
  if (!reservation) throw new NotFoundException('There is no such reservation.');
  return reservation;
}

function byTime({ reservations }: VenueState): Reservation[] {
  return [...reservations.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

function assertBookable(state: VenueState, wanted: Reservation): void {
  const { number, seats } = tableOn(state, wanted.tableId);
  if (wanted.partySize > seats) {
    throw new ConflictException(`Table ${number} seats ${seats}, not ${wanted.partySize}.`);
  }
  const others = expectedAt(wanted.tableId, state).filter(({ id }) => id !== wanted.id);
  const other = others.find(({ at }) => overlap(at, wanted.at));
  if (other) throw new ConflictException(`Table ${number} is already booked for ${other.guestName} then.`);
}

function isExpected({ status }: Reservation): boolean {
  return status === 'booked' || status === 'seated';
}

function overlap(at: string, otherAt: string): boolean {
  return Math.abs(Date.parse(at) - Date.parse(otherAt)) < SITTING_MS;
}

// A validated instance has absent properties as undefined; spreading them would erase the stored values.
function withoutUndefined(change: ReservationChange): ReservationChange {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}
