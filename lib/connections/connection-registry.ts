import type { Connection, RoomMembership } from './connection.js';
import { ConnectionIndex } from './connection-index.js';
import { checkRoomName } from './room-name.js';

/**
 * Told which users and rooms this node serves, so that messages for them find it. `gained` may repeat; it resolves when
 * every later publish from any node reaches this one, or when that is pending because the backplane is away. `lost` comes
 * after the last member has gone.
 */
export interface MembershipListener {
  gained(kind: InterestKind, key: string): Promise<void> | undefined;
  lost(kind: InterestKind, key: string): void;
  /** Whether other nodes' messages do not arrive yet. */
  isPending(kind: InterestKind, key: string): boolean;
}

export type InterestKind = 'user' | 'room';

const DONE = Promise.resolve();

/** This node's connections, by id, user, session and room; each look-up and change costs the same at any size. */
export class ConnectionRegistry implements RoomMembership, Iterable<Connection> {
  readonly #connections = new Map<string, Connection>();
  readonly #users = new ConnectionIndex<Connection>();
  readonly #sessions = new ConnectionIndex<Connection>();
  readonly #rooms = new ConnectionIndex<Connection>();
  /** Joins that wait, by connection id and room: whoever joins again meanwhile is told the same. */
  readonly #joining = new Map<string, Promise<void>>();

  constructor(private readonly interest: MembershipListener) {}

  get size(): number {
    return this.#connections.size;
  }

  /** How many users, sessions and rooms have a connection here. */
  get counts(): { connections: number; users: number; sessions: number; rooms: number } {
    return {
      connections: this.#connections.size,
      users: this.#users.size,
      sessions: this.#sessions.size,
      rooms: this.#rooms.size,
    };
  }

  get(connectionId: string): Connection | undefined {
    return this.#connections.get(connectionId);
  }

  ofUser(userId: string): readonly Connection[] {
    return [...this.#users.of(userId)];
  }

  ofSession(sessionId: string): readonly Connection[] {
    return [...this.#sessions.of(sessionId)];
  }

  inRoom(room: string): readonly Connection[] {
    return [...this.#rooms.of(room)];
  }

  [Symbol.iterator](): Iterator<Connection> {
    return this.#connections.values();
  }

  /** @internal The live members of a room, without a copy. */
  membersOf(kind: InterestKind, key: string): Iterable<Connection> {
    return kind === 'user' ? this.#users.of(key) : this.#rooms.of(key);
  }

  /** @internal Resolves when messages for the connection's user reach this node. */
  add(connection: Connection): Promise<void> | undefined {
    this.#connections.set(connection.id, connection);
    this.#sessions.add(connection.sessionId, connection);
    const { userId } = connection;
    if (userId === undefined) return undefined;
    this.#users.add(userId, connection);
    return this.interest.gained('user', userId);
  }

  /** @internal Lets a connection continue a session; it keeps its own when another user holds that one. */
  resumeSession(connection: Connection, sessionId: string): void {
    for (const holder of this.#sessions.of(sessionId)) if (holder.userId !== connection.userId) return;
    if (!this.#connections.has(connection.id)) {
      connection.resumeSession(sessionId);
      return;
    }
    this.#sessions.delete(connection.sessionId, connection);
    connection.resumeSession(sessionId);
    this.#sessions.add(sessionId, connection);
  }

  /** @internal */
  remove(connection: Connection): void {
    if (!this.#connections.delete(connection.id)) return;
    this.#sessions.delete(connection.sessionId, connection);
    const { userId } = connection;
    if (userId !== undefined && this.#users.delete(userId, connection)) this.interest.lost('user', userId);
    for (const room of connection.rooms) {
      if (this.#joining.size > 0) this.#joining.delete(joinKey(connection, room));
      if (this.#rooms.delete(room, connection)) this.interest.lost('room', room);
    }
  }

  join(connection: Connection, room: string): Promise<void> {
    try {
      checkRoomName(room);
    } catch (error) {
      return Promise.reject(error);
    }
    // A connection that closed meanwhile is in no room: nothing would ever take it out again.
    if (!this.#connections.has(connection.id)) return DONE;
    const key = joinKey(connection, room);
    const joining = this.#joining.get(key);
    if (joining !== undefined) return joining;
    const hasEntered = connection.enterRoom(room);
    this.#rooms.add(room, connection);
    const gained = this.interest.gained('room', room);
    if (gained === undefined) return DONE;
    // One that was in the room already stays when its second join is refused.
    return hasEntered ? this.#join(connection, room, key, gained) : gained;
  }

  /** @internal Whether messages of other nodes to the room do not reach this node yet. */
  isPending(room: string): boolean {
    return this.interest.isPending('room', room);
  }

  #join(connection: Connection, room: string, key: string, gained: Promise<void>): Promise<void> {
    const joining = gained
      .catch((error: unknown) => {
        // A join that rejects has not happened; one that has left since, and perhaps come back, is another matter.
        if (this.#joining.get(key) === joining) this.leave(connection, room);
        throw error;
      })
      .finally(() => {
        if (this.#joining.get(key) === joining) this.#joining.delete(key);
      });
    this.#joining.set(key, joining);
    return joining;
  }

  leave(connection: Connection, room: string): void {
    if (!connection.exitRoom(room)) return;
    if (this.#joining.size > 0) this.#joining.delete(joinKey(connection, room));
    if (this.#rooms.delete(room, connection)) this.interest.lost('room', room);
  }
}

function joinKey({ id }: Connection, room: string): string {
  return `${id} ${room}`;
}
