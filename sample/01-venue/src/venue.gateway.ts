import type { OnGatewayConnection } from '@nestjs/websockets';
import { type AuthenticatedConnection, OnMessage, RealtimeGateway } from 'nestjs-realtime';
import {
  CreateReservation,
  type Reservation,
  SetTableStatus,
  type Table,
  venue,
  VENUE_ROOM,
} from './contract.js';
import { SeatingService } from './seating/seating.service.js';

@RealtimeGateway({ path: '/ws', contract: venue, authenticated: true })
export class VenueGateway implements OnGatewayConnection<AuthenticatedConnection> {
  constructor(private readonly seating: SeatingService) {}

  /** Awaited before `$hello`, so a client that reads the floor after `$hello` misses no event. */
  handleConnection(connection: AuthenticatedConnection): Promise<void> {
    return connection.join(VENUE_ROOM);
  }

  @OnMessage(venue, 'reservation:create', { authenticated: true })
  reserve(request: CreateReservation, { userId }: AuthenticatedConnection): Promise<Reservation> {
    return this.seating.reserve(request, userId);
  }

  @OnMessage(venue, 'table:set_status')
  setTableStatus({ tableId, status }: SetTableStatus): Promise<Table> {
    return this.seating.setTableStatus(tableId, status);
  }
}
