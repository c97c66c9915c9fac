import { Injectable } from '@nestjs/common';
import type { CreateReservation, Reservation, ReservationChange, Table, TableStatus } from '../contract.js';
import { ReservationsService, SITTING_MS } from '../reservations/reservations.service.js';
import { TablesService } from '../tables/tables.service.js';

/**
 * What a reservation means for its table, and the other way round. HTTP and the socket both come through here,
 * so everybody hears the same, whoever asked and however.
 */
@Injectable()
export class SeatingService {
  constructor(
    private readonly tables: TablesService,
    private readonly reservations: ReservationsService,
  ) {}

  async reserve(wish: CreateReservation, hostId: string): Promise<Reservation> {
    const reservation = await this.reservations.create(this.tables.get(wish.tableId), wish, hostId);
    await this.followWithTable(reservation);
    return reservation;
  }

  async changeReservation(id: string, change: ReservationChange): Promise<Reservation> {
    const table = this.tables.get(this.reservations.get(id).tableId);
    const reservation = await this.reservations.update(table, id, change);
    await this.followWithTable(reservation);
    return reservation;
  }

  async setTableStatus(tableId: string, status: TableStatus): Promise<Table> {
    const table = await this.tables.setStatus(tableId, status);
    if (status === 'free') await this.finishPartiesAt(table);
    return table;
  }

  private async followWithTable(reservation: Reservation): Promise<void> {
    const table = this.tables.get(reservation.tableId);
    const status = this.statusAfter(reservation, table);
    if (status !== table.status) await this.tables.setStatus(table.id, status);
  }

  private statusAfter(reservation: Reservation, table: Table): TableStatus {
    const withoutGuests = this.reservations.expectedAt(table.id).some(isSoon) ? 'reserved' : 'free';
    switch (reservation.status) {
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

  private async finishPartiesAt(table: Table): Promise<void> {
    for (const { id, status } of this.reservations.expectedAt(table.id)) {
      if (status === 'seated') await this.reservations.update(table, id, { status: 'finished' });
    }
  }
}

// Guests who walked in now would still be at the table when this party comes.
function isSoon({ at }: Reservation): boolean {
  return Math.abs(Date.parse(at) - Date.now()) < SITTING_MS;
}
