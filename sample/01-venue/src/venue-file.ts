import { readFileSync } from 'node:fs';
import type { StateChange } from './store/venue-store.js';
import type { Reservation, ReservationStatus, Table } from './contract.js';

/** venue.json: the initial state of the venue. The page reads the same file. */
export interface VenueFile {
  readonly name: string;
  readonly staff: readonly StaffMember[];
  readonly areas: readonly Area[];
  readonly reservations: readonly {
    /** A time of this evening, as `19:30`. */
    readonly at: string;
    readonly table: string;
    readonly guest: string;
    readonly party: number;
    readonly host: string;
    readonly status: ReservationStatus;
  }[];
}

export interface StaffMember {
  readonly userId: string;
  readonly name: string;
  readonly role: string;
}

export interface Area {
  readonly id: string;
  readonly name: string;
  /** Width and height are in the unit of the tables' `x` and `y`. */
  readonly width: number;
  readonly height: number;
  readonly tables: readonly Omit<Table, 'area'>[];
}

function readVenueFile(): VenueFile {
  return JSON.parse(readFileSync(new URL('./public/venue.json', import.meta.url), 'utf8')) as VenueFile;
}

/** The first tables and reservations of an evening. */
export function initialState(): Required<StateChange> {
  const file = readVenueFile();
  return { tables: tablesIn(file), reservations: reservationsIn(file) };
}

function tablesIn(file: VenueFile): Table[] {
  return file.areas.flatMap(({ id: area, tables }) => tables.map((table) => ({ ...table, area })));
}

function reservationsIn(file: VenueFile): Reservation[] {
  return file.reservations.map(({ at, table, guest, party, host, status }, index) => ({
    id: `r${index + 1}`,
    tableId: table,
    guestName: guest,
    partySize: party,
    at: thisEvening(at),
    hostId: host,
    status,
  }));
}

function thisEvening(timeOfDay: string): string {
  const [hours = 0, minutes = 0] = timeOfDay.split(':').map(Number);
  return new Date(new Date().setHours(hours, minutes, 0, 0)).toISOString();
}
