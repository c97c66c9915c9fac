import type { OnGatewayConnection } from '@nestjs/websockets';
import { type AuthenticatedConnection, Connection, OnMessage, RealtimeGateway } from 'nestjs-realtime';
import {
  CreateReservation,
  type Reservation,
  SetTableStatus,
  type Table,
  venue,
  VENUE_ROOM,
} from './contract.js';
import { SeatingService } from './seating/seating.service.js';

@RealtimeGateway({ path: '/ws', contract: venue })
export class VenueGateway implements OnGatewayConnection<Connection> {
  constructor(private readonly seating: SeatingService) {}

  /** Awaited before `$hello`: whoever reads the floor after that misses nothing. */
  handleConnection(connection: Connection): Promise<void> {
    return connection.join(VENUE_ROOM);
  }

  @OnMessage(venue, 'reservation:create', { authenticated: true })
  reserve(wish: CreateReservation, { userId }: AuthenticatedConnection): Promise<Reservation> {
    return this.seating.reserve(wish, userId);
  }

  @OnMessage(venue, 'table:set_status')
  setTableStatus({ tableId, status }: SetTableStatus): Promise<Table> {
    return this.seating.setTableStatus(tableId, status);
  }
}
