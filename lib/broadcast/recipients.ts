import { MAX_NAMES } from '../backplane/publication-fields.js';
import type { Recipient } from '../backplane/publication.js';
import { checkRoomName } from '../connections/room-name.js';

const MAX_ROOMS = 100;
const NONE: ReadonlySet<string> = new Set();
const ALL: readonly Recipient[] = [{ kind: 'all', key: '' }];

// Each of these checks an argument of the broadcaster, and throws an error that names it.
export function everyone(): readonly Recipient[] {
  return ALL;
}

export function user(userId: unknown): readonly Recipient[] {
  return [{ kind: 'user', key: requireId('a user id', userId) }];
}

export function users(userIds: unknown): readonly Recipient[] {
  const distinct = new Set(requireList('user ids', userIds));
  return Array.from(distinct, (userId) => ({
    kind: 'user',
    key: requireId('a user id', userId),
  }));
}

export function session(sessionId: unknown): readonly Recipient[] {
  return [{ kind: 'session', key: requireId('a session id', sessionId) }];
}

export function connection(connectionId: unknown): readonly Recipient[] {
  return [{ kind: 'connection', key: requireId('a connection id', connectionId) }];
}

export function room(name: unknown): readonly Recipient[] {
  checkRoomName(name);
  return [{ kind: 'room', key: name }];
}

export function rooms(names: unknown): readonly Recipient[] {
  const distinct: string[] = [];
  for (const name of new Set(requireList('rooms', names))) {
    checkRoomName(name);
    distinct.push(name);
  }
  if (distinct.length > MAX_ROOMS) {
    throw new RangeError(
      `Expected at most ${MAX_ROOMS} rooms in one send, got ${distinct.length}: send in several parts, or to one room that they share.`,
    );
  }
  return distinct.map((key) => ({ kind: 'room', key }));
}

/** The ids of the option `except`. */
export function exceptions(except: unknown): ReadonlySet<string> {
  if (except === undefined) return NONE;
  if (typeof except === 'string') return new Set([except]);
  if (Array.isArray(except) && except.every((id) => typeof id === 'string')) {
    if (except.length <= MAX_NAMES) return new Set(except);
    throw new RangeError(
      `Expected at most ${MAX_NAMES} ids in the option except, got ${except.length}: send to a room that these clients are not in.`,
    );
  }
  throw new TypeError(
    `Expected the option except to be a connection or session id or a list of them, got ${described(except)}.`,
  );
}

/** Checks a timeout; `setTimeout` fires at once for more than 2,147,483,647 ms. */
export function requireTimeout(name: string, value: number): number {
  if (typeof value === 'number' && value > 0 && value <= 0x7fffffff) return value;
  throw new RangeError(
    `Expected the option ${name} to be a number of milliseconds from 1 to 2147483647, got ${String(value)}.`,
  );
}

function requireId(what: string, id: unknown): string {
  if (typeof id === 'string' && id !== '') return id;
  throw new TypeError(`Expected ${what}, a text that is not empty, got ${described(id)}.`);
}

function requireList(what: string, list: unknown): readonly unknown[] {
  if (Array.isArray(list)) return list;
  throw new TypeError(`Expected a list of ${what}, got ${described(list)}.`);
}

function described(value: unknown): string {
  if (value === undefined || value === null || typeof value === 'number') return String(value);
  if (value === '') return 'an empty text';
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}
