import {
  IsIn,
  IsInt,
  IsNumber,
  IsString,
  isISO8601,
  Length,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
} from 'class-validator';
import { defineContract, type ServerMessage } from 'nestjs-realtime';

/** The room of every connection. */
export const VENUE_ROOM = 'venue:1';

export const tableStatuses = ['free', 'reserved', 'occupied'] as const;
export type TableStatus = (typeof tableStatuses)[number];

export const tableShapes = ['round', 'square', 'long'] as const;
export type TableShape = (typeof tableShapes)[number];

export const reservationStatuses = ['booked', 'seated', 'finished', 'cancelled'] as const;
export type ReservationStatus = (typeof reservationStatuses)[number];

// Not @IsOptional(), which also allows null.
const IfPresent = () => ValidateIf((_object, value) => value !== undefined);

// ISO 8601 also allows weeks and ordinal days, which Date does not parse.
const IsInstant = () =>
  ValidateBy({
    name: 'isInstant',
    validator: {
      validate: (at) => isISO8601(at, { strict: true }) && !Number.isNaN(Date.parse(at)),
      defaultMessage: () => 'the time must be an ISO 8601 date and time',
    },
  });

const guestName = { message: 'the guest needs a name of 1 to 60 characters' };
const partySize = { message: 'a party is a whole number from 1 to 20' };

/**
 * `version` grows with every change, and is sent only if there are several servers: their events may arrive out of order,
 * and a page ignores events that are older than its state.
 */
export class Table {
  @IsString() id!: string;
  @IsInt() number!: number;
  @IsString() area!: string;
  @IsInt() seats!: number;
  @IsIn(tableShapes) shape!: TableShape;
  /** The middle of the table on the plan of its area. */
  @IsNumber() x!: number;
  @IsNumber() y!: number;
  @IsIn(tableStatuses) status!: TableStatus;
  @IfPresent() @IsInt() version?: number | undefined;
}

export class SetTableStatus {
  @IsString() tableId!: string;
  @IsIn(tableStatuses) status!: TableStatus;
}

export class TableStatusChanged extends SetTableStatus {
  @IfPresent() @IsInt() version?: number | undefined;
}

export class CreateReservation {
  @IsString() tableId!: string;
  @Length(1, 60, guestName) guestName!: string;
  @IsInt(partySize) @Min(1, partySize) @Max(20, partySize) partySize!: number;
  @IsInstant() at!: string;
}

export class Reservation extends CreateReservation {
  @IsString() id!: string;
  @IsString() hostId!: string;
  @IsIn(reservationStatuses) status!: ReservationStatus;
  @IfPresent() @IsInt() version?: number | undefined;
}

/** What can be changed after booking; absent means unchanged. */
export class ReservationChange {
  @IfPresent() @Length(1, 60, guestName) guestName?: string;
  @IfPresent() @IsInt(partySize) @Min(1, partySize) @Max(20, partySize) partySize?: number;
  @IfPresent() @IsInstant() at?: string;
  @IfPresent() @IsIn(reservationStatuses) status?: ReservationStatus;
}

export class ReservationUpdated extends ReservationChange {
  @IsString() id!: string;
  @IfPresent() @IsInt() version?: number | undefined;
}

export class Notification {
  @IsString() text!: string;
  /** The user id of the sender. */
  @IsString() from!: string;
}

export const venue = defineContract({
  client: {
    'reservation:create': { payload: CreateReservation, reply: Reservation },
    'table:set_status': { payload: SetTableStatus, reply: Table },
  },
  server: {
    'reservation:created': { payload: Reservation },
    'reservation:updated': { payload: ReservationUpdated },
    'table:status_changed': { payload: TableStatusChanged },
    notification: { payload: Notification },
  },
});

export type VenueEvent = ServerMessage<typeof venue>;
