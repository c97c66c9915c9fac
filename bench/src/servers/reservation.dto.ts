import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import type { NewReservation } from '../venue.js';

/** The class that every Nest entrant validates with. */
export class CreateReservation implements NewReservation {
  @IsString()
  @MaxLength(80)
  guest!: string;

  @IsInt()
  @Min(1)
  @Max(40)
  partySize!: number;

  @IsString()
  @MaxLength(40)
  startsAt!: string;

  @IsString()
  @MaxLength(40)
  tableId!: string;

  @IsOptional()
  @IsString()
  @MaxLength(500)
  note!: string;
}

export class Reservation {
  @IsString()
  id!: string;

  @IsString()
  guest!: string;

  @IsInt()
  partySize!: number;

  @IsString()
  startsAt!: string;

  @IsString()
  tableId!: string;

  @IsString()
  status!: string;
}

export class TableStatusChanged {
  @IsString()
  tableId!: string;

  @IsString()
  status!: string;

  @IsString()
  by!: string;

  @IsString()
  note!: string;

  @IsInt()
  at!: number;
}
