import { CrowdConnection, type CrowdEvents } from '../crowd-connection.js';
import type { PilotedNode } from '../piloted-node.js';
import { Presence } from '../presence.js';
import type { Random } from '../../random.js';

/** A user with 1 to 3 connections. Changes run one at a time, so that the effect of each is known. */
export interface CrowdUser {
  readonly id: string;
  readonly connections: Set<CrowdConnection>;
  isBusy: boolean;
}

export interface Room {
  readonly name: string;
  /** The intended number of members. */
  readonly size: number;
  /** Connections that are, were recently, or are about to be in it. */
  readonly seen: Set<CrowdConnection>;
}

const AT_A_TIME = 50;
const SMALLEST_ROOM = 2;
const LARGEST_ROOM = 200;
// A message in flight may still be addressed to it.
const REMEMBERED_MS = 30_000;

/** All connections on all nodes, and the rooms they are in. */
export class Crowd {
  readonly users: CrowdUser[] = [];
  readonly rooms: Room[] = [];
  /** Connections that are open, or were recently. */
  readonly seen = new Set<CrowdConnection>();
  readonly #byName = new Map<string, Room>();
  readonly #byUser = new Map<string, CrowdUser>();

  constructor(
    private readonly nodes: readonly PilotedNode[],
    private readonly random: Random,
    private readonly events: CrowdEvents,
  ) {}

  /** Connects all users, and fills rooms of 2 to 200. */
  async gather(users: number, rooms: number): Promise<void> {
    for (let i = 0; i < users; i++) this.#addUser(`user${i}`);
    const counts = this.users.flatMap((user) => Array.from({ length: 1 + this.random.below(3) }, () => user));
    await inTurns(counts, (user) => this.open(user, this.random.pick(this.nodes)));
    for (let i = 0; i < rooms; i++) {
      const spread = this.random.next();
      this.addRoom(`room${i}`, Math.round(SMALLEST_ROOM * (LARGEST_ROOM / SMALLEST_ROOM) ** spread));
    }
    const joins = this.rooms.flatMap((room) => Array.from({ length: room.size }, () => room));
    const connections = [...this.seen];
    await inTurns(joins, async ({ name }) => {
      const connection = this.random.pick(connections);
      if (!connection.rooms.has(name)) await this.move(connection, 'join', name);
    });
  }

  addRoom(name: string, size: number): Room {
    const room = { name, size, seen: new Set<CrowdConnection>() };
    this.#byName.set(name, room);
    this.rooms.push(room);
    return room;
  }

  userOf(id: string): CrowdUser {
    return this.#byUser.get(id) ?? this.#addUser(id);
  }

  /** Connections that are, or were recently, in a room. */
  lately(room: string): Iterable<CrowdConnection> {
    return this.#byName.get(room)?.seen ?? [];
  }

  async open(user: CrowdUser, node: PilotedNode): Promise<CrowdConnection> {
    const connection = new CrowdConnection(node.port, node.index, user.id, this.events);
    user.connections.add(connection);
    this.seen.add(connection);
    await connection.opened();
    return connection;
  }

  /** By a request of the client itself. */
  async move(connection: CrowdConnection, change: 'join' | 'leave', room: string): Promise<void> {
    const presence = this.presence(connection, room);
    presence.become('changing');
    await connection.change(change, room);
    presence.become(change === 'join' ? 'in' : 'out');
  }

  presence(connection: CrowdConnection, room: string): Presence {
    let presence = connection.rooms.get(room);
    if (presence === undefined) connection.rooms.set(room, (presence = new Presence()));
    this.#byName.get(room)?.seen.add(connection);
    return presence;
  }

  membersOf({ name, seen }: Room): CrowdConnection[] {
    return [...seen].filter(({ presence, rooms }) => presence.isIn && rooms.get(name)?.isIn === true);
  }

  /** Removes connections that closed long ago. */
  forget(gone: (connection: CrowdConnection) => void): void {
    const before = performance.now() - REMEMBERED_MS;
    for (const connection of this.seen) {
      if (!connection.isClosed || connection.presence.since > before) continue;
      this.seen.delete(connection);
      this.#byUser.get(connection.userId)?.connections.delete(connection);
      for (const room of connection.rooms.keys()) this.#byName.get(room)?.seen.delete(connection);
      gone(connection);
    }
    for (const { name, seen } of this.rooms) {
      for (const connection of seen) {
        const presence = connection.rooms.get(name);
        if (presence === undefined || presence.isIn || presence.isChanging || presence.since > before)
          continue;
        seen.delete(connection);
        connection.rooms.delete(name);
      }
    }
  }

  async leave(): Promise<void> {
    await Promise.all([...this.seen].map((connection) => connection.leave('terminate')));
  }

  #addUser(id: string): CrowdUser {
    const user = { id, connections: new Set<CrowdConnection>(), isBusy: false };
    this.users.push(user);
    this.#byUser.set(id, user);
    return user;
  }
}

async function inTurns<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<void> {
  const left = items.values();
  const work = async () => {
    for (const item of left) await act(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
}
