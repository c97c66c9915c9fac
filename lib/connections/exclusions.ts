import type { Connection } from './connection.js';

/** The connections that do not get a message although its recipient includes them. */
export interface Exclusions {
  /** Ids of connections and sessions. */
  readonly except: ReadonlySet<string>;
  /** Rooms whose members got the message through another channel. */
  readonly exceptRooms: ReadonlySet<string>;
}

/** Whether a connection does not get the message. */
export function excludes(connection: Connection, { except, exceptRooms }: Exclusions): boolean {
  if (except.size > 0 && (except.has(connection.id) || except.has(connection.sessionId))) return true;
  return exceptRooms.size > 0 && isInOneOf(connection.rooms, exceptRooms);
}

// Iterates over the smaller set: a connection is in few rooms, or the list is short.
function isInOneOf(joined: ReadonlySet<string>, names: ReadonlySet<string>): boolean {
  const [few, many] = joined.size < names.size ? [joined, names] : [names, joined];
  for (const name of few) if (many.has(name)) return true;
  return false;
}
