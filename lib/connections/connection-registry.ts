import { channelName } from '../protocol/channel.js';
import type { Connection } from './connection.js';
import { ConnectionIndex } from './connection-index.js';
import type { ChannelSubscriptions, MembershipListener } from './membership-listener.js';
import { checkRoomName } from './room-name.js';

const DONE = Promise.resolve();

/** This node's connections, by id, user, session and room; the cost of a lookup or change does not depend on their number. */
export class ConnectionRegistry implements Iterable<Connection> {
  readonly #connections = new Map<string, Connection>();
  readonly #users = new ConnectionIndex<Connection>();
  readonly #sessions = new ConnectionIndex<Connection>();
  readonly #rooms = new ConnectionIndex<Connection>();
  /** Joins that wait for the backplane, by connection id and room: a second join of the same room gets the same promise. */
  readonly #joining = new Map<string, Promise<void>>();

  constructor(
    private readonly subscriptions: ChannelSubscriptions,
    private readonly listeners: readonly MembershipListener[] = [],
  ) {}

  /** The number of open connections on this node. */
  get size(): number {
    return this.#connections.size;
  }

  /** The numbers of connections on this node, and of the users, sessions and rooms that have one. */
  get counts(): { connections: number; users: number; sessions: number; rooms: number } {
    return {
      connections: this.#connections.size,
      users: this.#users.size,
      sessions: this.#sessions.size,
      rooms: this.#rooms.size,
    };
  }

  /** The connection with this id, if it is open on this node. */
  get(connectionId: string): Connection | undefined {
    return this.#connections.get(connectionId);
  }

  /** The user's connections on this node; a copy. */
  ofUser(userId: string): readonly Connection[] {
    return [...this.#users.of(userId)];
  }

  /** The session's connections on this node; a copy. */
  ofSession(sessionId: string): readonly Connection[] {
    return [...this.#sessions.of(sessionId)];
  }

  /** The room's connections on this node; a copy. */
  inRoom(room: string): readonly Connection[] {
    return [...this.#rooms.of(room)];
  }

  /** Iterates over every connection on this node. */
  [Symbol.iterator](): Iterator<Connection> {
    return this.#connections.values();
  }

  /** @internal The live members of a user or room, without a copy. */
  membersOf(kind: 'user' | 'room', key: string): Iterable<Connection> {
    return kind === 'user' ? this.#users.of(key) : this.#rooms.of(key);
  }

  /** @internal Resolves when messages for the connection's user reach this node. */
  add(connection: Connection): Promise<void> | undefined {
    this.#connections.set(connection.id, connection);
    this.#sessions.add(connection.sessionId, connection);
    const { userId } = connection;
    if (userId !== undefined) this.#users.add(userId, connection);
    for (const listener of this.listeners) listener.opened?.(connection);
    return userId === undefined ? undefined : this.subscriptions.ready(channelName('user', userId));
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
    if (userId !== undefined && this.#users.delete(userId, connection)) {
      this.subscriptions.release(channelName('user', userId));
    }
    for (const room of connection.rooms) this.#removeFromRoom(connection, room);
    for (const listener of this.listeners) listener.closed?.(connection);
  }

  /** @internal */
  join(connection: Connection, room: string): Promise<void> {
    try {
      checkRoomName(room);
    } catch (error) {
      return Promise.reject(error);
    }
    // A connection that has closed must not enter a room: nothing would remove it.
    if (!this.#connections.has(connection.id)) return DONE;
    const key = joinKey(connection, room);
    const joining = this.#joining.get(key);
    if (joining !== undefined) return joining;
    const hasEntered = connection.enterRoom(room);
    this.#rooms.add(room, connection);
    if (hasEntered) for (const listener of this.listeners) listener.joined?.(connection, room);
    const ready = this.subscriptions.ready(channelName('room', room));
    if (ready === undefined) return DONE;
    // A connection that was in the room already stays in it when its second join is refused.
    return hasEntered ? this.#join(connection, room, key, ready) : ready;
  }

  /** @internal Whether messages of other nodes to the room do not reach this node yet. */
  isPending(room: string): boolean {
    return this.subscriptions.isPending(channelName('room', room));
  }

  /** @internal */
  leave(connection: Connection, room: string): void {
    if (!connection.exitRoom(room)) return;
    this.#removeFromRoom(connection, room);
    for (const listener of this.listeners) listener.left?.(connection, room);
  }

  #join(connection: Connection, room: string, key: string, ready: Promise<void>): Promise<void> {
    const joining = ready
      .catch((error: unknown) => {
        // A join that rejects has not happened, unless the connection has left since and perhaps joined again.
        if (this.#joining.get(key) === joining) this.leave(connection, room);
        throw error;
      })
      .finally(() => {
        if (this.#joining.get(key) === joining) this.#joining.delete(key);
      });
    this.#joining.set(key, joining);
    return joining;
  }

  #removeFromRoom(connection: Connection, room: string): void {
    if (this.#joining.size > 0) this.#joining.delete(joinKey(connection, room));
    if (this.#rooms.delete(room, connection)) this.subscriptions.release(channelName('room', room));
  }
}

function joinKey({ id }: Connection, room: string): string {
  return `${id} ${room}`;
}
