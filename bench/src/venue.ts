import { createHmac, createSecretKey } from 'node:crypto';

/** The messages of the venue, about 150 bytes each on the wire, the same for every entrant. */
export interface StatusChange {
  readonly tableId: string;
  readonly status: string;
  readonly by: string;
  readonly note: string;
  /** Microseconds of the machine's monotonic clock when the server began to send. */
  readonly at: number;
}

export const STATUS_CHANGED = 'table:status_changed';
export const CREATE = 'reservation:create';
const SECRET = 'the secret of the bench, no other';
/** Created once: for a string, `jsonwebtoken` first tries to create a public key, which takes longer than everything else. */
export const KEY = createSecretKey(Buffer.from(SECRET));

export function statusChange(padding = ''): StatusChange {
  return {
    tableId: 'terrace-12',
    status: 'seated',
    by: 'host-7',
    note: `window seat${padding}`,
    at: nowMicros(),
  };
}

export interface NewReservation {
  readonly guest: string;
  readonly partySize: number;
  readonly startsAt: string;
  readonly tableId: string;
  readonly note: string;
}

/** The request of a client. */
export const RESERVATION: NewReservation = {
  guest: 'Ada Lovelace',
  partySize: 4,
  startsAt: '2026-03-01T19:30:00Z',
  tableId: 'terrace-12',
  note: 'window',
};

/** The work of every entrant's handler. */
export function reserve({ guest, partySize, startsAt, tableId }: NewReservation) {
  return { id: 'r-4711', guest, partySize, startsAt, tableId, status: 'confirmed' };
}

/** The hand-written validation of a server without decorators. */
export function isNewReservation(value: unknown): value is NewReservation {
  if (typeof value !== 'object' || value === null) return false;
  const { guest, partySize, startsAt, tableId, note } = value as Record<string, unknown>;
  return (
    typeof guest === 'string' &&
    guest.length <= 80 &&
    Number.isInteger(partySize) &&
    (partySize as number) >= 1 &&
    (partySize as number) <= 40 &&
    typeof startsAt === 'string' &&
    startsAt.length <= 40 &&
    typeof tableId === 'string' &&
    tableId.length <= 40 &&
    (note === undefined || (typeof note === 'string' && note.length <= 500))
  );
}

/** `CLOCK_MONOTONIC` is the same clock for all processes of a machine. */
export function nowMicros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** A JWT (HS256) that every entrant verifies with the same `JwtService`. */
export function tokenFor(userId: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: userId, exp: 4_102_444_800 })}`;
  return `${body}.${createHmac('sha256', SECRET).update(body).digest('base64url')}`;
}
