import { Injectable } from '@nestjs/common';
import { Book, type Page } from '../book/book.js';
import type { CreateReservation, Reservation, ReservationChange, Table, TableStatus } from '../contract.js';
import { expectedAt, ReservationsService, SITTING_MS } from '../reservations/reservations.service.js';
import { tableOn, TablesService } from '../tables/tables.service.js';

/**
 * What a reservation means for its table, and the other way round. HTTP and the socket both come through here,
 * so everybody hears the same, whoever asked and however.
 */
@Injectable()
export class SeatingService {
  constructor(
    private readonly book: Book,
    private readonly tables: TablesService,
    private readonly reservations: ReservationsService,
  ) {}

  async reserve(wish: CreateReservation, hostId: string): Promise<Reservation> {
    const reservation = await this.reservations.create(wish, hostId);
    await this.followWithTable(reservation);
    return reservation;
  }

  async changeReservation(id: string, change: ReservationChange): Promise<Reservation> {
    const reservation = await this.reservations.update(id, change);
    await this.followWithTable(reservation);
    return reservation;
  }

  async setTableStatus(tableId: string, status: TableStatus): Promise<Table> {
    const table = await this.tables.setStatus(tableId, () => status);
    if (status === 'free') await this.finishPartiesAt(tableId);
    return table;
  }

  private async followWithTable(reservation: Reservation): Promise<void> {
    await this.tables.setStatus(reservation.tableId, (page) => statusAfter(reservation, page));
  }

  private async finishPartiesAt(tableId: string): Promise<void> {
    for (const { id, status } of expectedAt(tableId, await this.book.read())) {
      if (status === 'seated') await this.reservations.update(id, { status: 'finished' });
    }
  }
}

function statusAfter({ tableId, status }: Reservation, page: Page): TableStatus {
  const table = tableOn(page, tableId);
  const withoutGuests = expectedAt(tableId, page).some(isSoon) ? 'reserved' : 'free';
  switch (status) {
    case 'seated':
      return 'occupied';
    case 'finished':
      return withoutGuests;
    case 'booked':
      return table.status === 'free' ? withoutGuests : table.status;
    case 'cancelled':
      return table.status === 'reserved' ? withoutGuests : table.status;
  }
}

// Guests who walked in now would still be at the table when this party comes.
function isSoon({ at }: Reservation): boolean {
  return Math.abs(Date.parse(at) - Date.now()) < SITTING_MS;
}
