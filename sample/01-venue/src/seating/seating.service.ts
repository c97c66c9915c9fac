import { Injectable } from '@nestjs/common';
import { VenueStore, type VenueState } from '../store/venue-store.js';
import type { CreateReservation, Reservation, ReservationChange, Table, TableStatus } from '../contract.js';
import { expectedAt, ReservationsService, SITTING_MS } from '../reservations/reservations.service.js';
import { tableOn, TablesService } from '../tables/tables.service.js';

/**
 * Keeps tables and reservations consistent. HTTP and WebSocket requests both use it, so clients get the same events for
 * both.
 */
@Injectable()
export class SeatingService {
  constructor(
    private readonly store: VenueStore,
    private readonly tables: TablesService,
    private readonly reservations: ReservationsService,
  ) {}

  async reserve(request: CreateReservation, hostId: string): Promise<Reservation> {
    const reservation = await this.reservations.create(request, hostId);
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
    await this.tables.setStatus(reservation.tableId, (state) => statusAfter(reservation, state));
  }

  private async finishPartiesAt(tableId: string): Promise<void> {
    for (const { id, status } of expectedAt(tableId, await this.store.read())) {
      if (status === 'seated') await this.reservations.update(id, { status: 'finished' });
    }
  }
}

function statusAfter({ tableId, status }: Reservation, state: VenueState): TableStatus {
  const table = tableOn(state, tableId);
  const withoutGuests = expectedAt(tableId, state).some(isSoon) ? 'reserved' : 'free';
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

// Guests without a reservation could not finish before this party arrives.
function isSoon({ at }: Reservation): boolean {
  return Math.abs(Date.parse(at) - Date.now()) < SITTING_MS;
}
