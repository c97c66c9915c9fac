import type { Crowd } from './crowd.js';
import type { CrowdConnection } from '../crowd-connection.js';

/** Whom a message is for. */
export interface Target {
  readonly kind: 'users' | 'rooms' | 'connection' | 'all';
  /** User ids, room names, or a connection id. */
  readonly keys: readonly string[];
  /** Ids of connections and sessions that do not get it. */
  readonly except: ReadonlySet<string>;
  readonly isLocal: boolean;
}

/** Everybody who may be meant. */
export function* candidates(crowd: Crowd, { kind, keys }: Target): Iterable<CrowdConnection> {
  if (kind === 'users') for (const id of keys) yield* crowd.userOf(id).connections;
  else if (kind === 'rooms') yield* new Set(keys.flatMap((room) => [...crowd.lately(room)]));
  else yield* crowd.seen;
}

/** Whether a connection has been entitled, without a break, from that time until now. */
export function standing(
  connection: CrowdConnection,
  target: Target,
  from: number,
  sender: number,
): 'in' | 'out' | 'unsettled' {
  const { kind, keys, except, isLocal } = target;
  if (isLocal && connection.node !== sender) return 'out';
  if (except.has(connection.id) || except.has(connection.sessionId)) return 'out';
  if (kind === 'users' && !keys.includes(connection.userId)) return 'out';
  if (kind === 'connection' && !keys.includes(connection.id)) return 'out';
  const connected = connection.presence.sinceThen(from);
  if (connected !== 'in' || kind !== 'rooms') return connected;
  const inRooms = keys.map((room) => connection.rooms.get(room)?.sinceThen(from) ?? 'out');
  // Two copies are kept apart by the rooms it is in; while one of them changes nobody can say.
  if (inRooms.includes('unsettled')) return 'unsettled';
  return inRooms.includes('in') ? 'in' : 'out';
}

/** The channel on which a message came to a connection; `undefined` while that cannot be told. */
export function channelFor(
  connection: CrowdConnection,
  { kind, keys }: Target,
  issuedAt: number,
): string | undefined {
  if (kind === 'users') return `user ${connection.userId}`;
  if (kind !== 'rooms') return kind;
  if (keys.length === 1) return `room ${keys[0]}`;
  for (const room of keys) {
    const stands = connection.rooms.get(room)?.sinceThen(issuedAt) ?? 'out';
    if (stands === 'unsettled') return undefined;
    if (stands === 'in') return `room ${room}`;
  }
  return undefined;
}
