import type { Crowd } from './crowd.js';
import type { CrowdConnection } from '../crowd-connection.js';

/** The recipients of a message. */
export interface Target {
  readonly kind: 'users' | 'rooms' | 'connection' | 'all';
  /** User ids, room names, or a connection id. */
  readonly keys: readonly string[];
  /** Ids of excluded connections and sessions. */
  readonly except: ReadonlySet<string>;
  readonly isLocal: boolean;
}

/** All connections that may be recipients. */
export function* candidates(crowd: Crowd, { kind, keys }: Target): Iterable<CrowdConnection> {
  if (kind === 'users') for (const id of keys) yield* crowd.userOf(id).connections;
  else if (kind === 'rooms') yield* new Set(keys.flatMap((room) => [...crowd.lately(room)]));
  else yield* crowd.seen;
}

/** Whether a connection has been entitled continuously from that time until now. */
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
  // Which copy is delivered depends on its rooms; while one of them changes, that is undefined.
  if (inRooms.includes('unsettled')) return 'unsettled';
  return inRooms.includes('in') ? 'in' : 'out';
}

/** The channel on which a message reached a connection; `undefined` if that cannot be decided. */
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
