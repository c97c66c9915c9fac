import { randomUUID } from 'node:crypto';
import { ConflictException, Injectable, NotFoundException } from '@nestjs/common';
import { Broadcaster } from 'nestjs-realtime';
import { Book, type Page } from '../book/book.js';
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
    private readonly book: Book,
    private readonly broadcaster: Broadcaster<typeof venue>,
  ) {}

  async all(): Promise<Reservation[]> {
    return byTime(await this.book.read());
  }

  async create(wish: CreateReservation, hostId: string): Promise<Reservation> {
    const id = randomUUID();
    const reservation = await this.store(id, () => ({ id, ...wish, hostId, status: 'booked', version: 0 }));
    await this.broadcaster.sendToRoom(VENUE_ROOM, { type: 'reservation:created', payload: reservation });
    return reservation;
  }

  async update(id: string, change: ReservationChange): Promise<Reservation> {
    const changed = withoutUndefined(change);
    const reservation = await this.store(id, (page) => ({ ...reservationOn(page, id), ...changed }));
    const { guestName, partySize, at, status, version } = reservation;
    await this.broadcaster.sendToRoom(VENUE_ROOM, {
      type: 'reservation:updated',
      // All of it: where two updates overtake each other, the later one has to stand alone.
      payload: { id, guestName, partySize, at, status, version },
    });
    return reservation;
  }

  private async store(id: string, decide: (page: Page) => Reservation): Promise<Reservation> {
    const { page } = await this.book.change((page) => {
      const wanted = decide(page);
      if (isExpected(wanted)) refuseImpossible(page, wanted);
      return { reservations: [wanted] };
    });
    return reservationOn(page, id);
  }
}

/** Those at one table that are neither over nor cancelled. */
export function expectedAt(tableId: string, page: Page): Reservation[] {
  return byTime(page).filter((reservation) => reservation.tableId === tableId && isExpected(reservation));
}

function reservationOn({ reservations }: Page, id: string): Reservation {
  const reservation = reservations.get(id);
  if (!reservation) throw new NotFoundException('There is no such reservation.');
  return reservation;
}

function byTime({ reservations }: Page): Reservation[] {
  return [...reservations.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

function refuseImpossible(page: Page, wanted: Reservation): void {
  const { number, seats } = tableOn(page, wanted.tableId);
  if (wanted.partySize > seats) {
    throw new ConflictException(`Table ${number} seats ${seats}, not ${wanted.partySize}.`);
  }
  const others = expectedAt(wanted.tableId, page).filter(({ id }) => id !== wanted.id);
  const other = others.find(({ at }) => overlap(at, wanted.at));
  if (other) throw new ConflictException(`Table ${number} is already booked for ${other.guestName} then.`);
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
