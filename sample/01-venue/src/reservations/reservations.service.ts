import { randomUUID } from 'node:crypto';
import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { Broadcaster } from 'nestjs-realtime';
import {
  type CreateReservation,
  type Reservation,
  type ReservationChange,
  type Table,
  type venue,
  VENUE_ROOM,
} from '../contract.js';
import { readVenueFile, reservationsIn } from '../venue-file.js';

/** How long a party keeps its table. */
export const SITTING_MS = 2 * 60 * 60 * 1000;

@Injectable()
export class ReservationsService {
  private readonly reservations = new Map(reservationsIn(readVenueFile()).map((known) => [known.id, known]));

  constructor(private readonly broadcaster: Broadcaster<typeof venue>) {}

  all(): Reservation[] {
    return [...this.reservations.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  }

  get(id: string): Reservation {
    const reservation = this.reservations.get(id);
    if (!reservation) throw new NotFoundException('There is no such reservation.');
    return reservation;
  }

  /** Those at one table that are neither over nor cancelled. */
  expectedAt(tableId: string): Reservation[] {
    return this.all().filter((reservation) => reservation.tableId === tableId && isExpected(reservation));
  }

  async create(table: Table, wish: CreateReservation, hostId: string): Promise<Reservation> {
    const reservation: Reservation = { id: randomUUID(), ...wish, hostId, status: 'booked' };
    this.store(table, reservation);
    await this.broadcaster.sendToRoom(VENUE_ROOM, { type: 'reservation:created', payload: reservation });
    return reservation;
  }

  async update(table: Table, id: string, change: ReservationChange): Promise<Reservation> {
    const changed = withoutUndefined(change);
    const reservation = { ...this.get(id), ...changed };
    this.store(table, reservation);
    await this.broadcaster.sendToRoom(VENUE_ROOM, {
      type: 'reservation:updated',
      payload: { id, ...changed },
    });
    return reservation;
  }

  // Looks and writes without awaiting in between: of two hosts who book at the same moment, one is refused.
  private store(table: Table, wanted: Reservation): void {
    if (isExpected(wanted)) this.refuseImpossible(table, wanted);
    this.reservations.set(wanted.id, wanted);
  }

  private refuseImpossible(table: Table, wanted: Reservation): void {
    if (wanted.partySize > table.seats) {
      throw new ConflictException(`Table ${table.number} seats ${table.seats}, not ${wanted.partySize}.`);
    }
    const other = this.expectedAt(table.id).find(({ id, at }) => id !== wanted.id && overlap(at, wanted.at));
    if (other) {
      throw new ConflictException(`Table ${table.number} is already booked for ${other.guestName} then.`);
    }
  }
}

function isExpected({ status }: Reservation): boolean {
  return status === 'booked' || status === 'seated';
}

function overlap(at: string, otherAt: string): boolean {
  return Math.abs(Date.parse(at) - Date.parse(otherAt)) < SITTING_MS;
}

// A validated instance has its absent properties too, as undefined; spreading those would erase what is there.
function withoutUndefined(change: ReservationChange): ReservationChange {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}
