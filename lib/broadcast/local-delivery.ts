import type { Recipient } from '../backplane/publication.js';
import type { Connection } from '../connections/connection.js';
import type { ConnectionRegistry } from '../connections/connection-registry.js';
import { excludes } from '../connections/exclusions.js';
import type { Frame } from '../connections/frame.js';
import { MessageTooLargeError } from '../connections/message-too-large.js';
import { DeliveryCounts } from './receipt.js';
import type { ServerMessages } from './server-messages.js';

/** One message on its way to this node's connections. */
export interface Delivery {
  readonly type: string;
  readonly frame: Frame;
  /** Ids of connections and sessions that do not get it. */
  readonly except: readonly string[];
  readonly volatile: boolean;
}

const NO_ROOMS: ReadonlySet<string> = new Set();

/** Writes messages to the connections of this node. */
export class LocalDelivery {
  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly serverMessages: ServerMessages,
    private readonly maxBytes: number,
  ) {}

  /** Throws when a message is larger than all that may wait for a client. */
  requireSize({ type, frame }: Delivery): void {
    const { maxBytes } = this;
    if (frame.isLargerThan(maxBytes)) throw new MessageTooLargeError(type, frame.length, maxBytes);
  }

  /** With `served`, a connection that is in it is skipped, and each that gets the message is put into it. */
  deliver(
    to: Recipient,
    delivery: Delivery,
    counts = new DeliveryCounts(),
    served?: Set<Connection>,
  ): DeliveryCounts {
    const { frame, except, volatile } = delivery;
    const paths = this.serverMessages.pathsOf(delivery.type);
    const exclusions = { except, exceptRooms: served === undefined ? roomsOf(to) : NO_ROOMS };
    const hasExclusions = except.length > 0 || exclusions.exceptRooms.size > 0;
    for (const connection of this.#members(to.kind, to.key)) {
      // A message of one gateway's contract is no business of the clients on another path.
      if (paths !== undefined && !paths.has(connection.path)) continue;
      if (hasExclusions && excludes(connection, exclusions)) continue;
      if (served !== undefined && !isFirst(connection, served)) continue;
      counts.count(connection.sendFrame(frame, volatile ? 'volatile' : 'live'));
    }
    return counts;
  }

  /** This node's connections that a recipient means, as they are now. */
  recipients(to: Recipient): Connection[] {
    const members = Array.from(this.#members(to.kind, to.key));
    if (to.exceptRooms.length === 0) return members;
    const exclusions = { except: [], exceptRooms: roomsOf(to) };
    return members.filter((connection) => !excludes(connection, exclusions));
  }

  /** Of these, the ones whose path has the message in its contract. */
  recipientsOf(type: string, to: Recipient): Connection[] {
    const paths = this.serverMessages.pathsOf(type);
    return this.recipients(to).filter(({ path }) => paths === undefined || paths.has(path));
  }

  /** Whether members here do not get yet what other nodes send to the room. */
  isPending(room: string): boolean {
    return this.registry.isPending(room);
  }

  #members(kind: Recipient['kind'], key: string): Iterable<Connection> {
    switch (kind) {
      case 'all':
        return this.registry;
      case 'user':
      case 'room':
        return this.registry.membersOf(kind, key);
      case 'session':
        return this.registry.ofSession(key);
      case 'connection': {
        const connection = this.registry.get(key);
        return connection === undefined ? [] : [connection];
      }
    }
  }
}

/** Adds the connection; false when it has been served already. */
function isFirst(connection: Connection, served: Set<Connection>): boolean {
  const { size } = served;
  return served.add(connection).size > size;
}

function roomsOf({ exceptRooms }: Recipient): ReadonlySet<string> {
  return exceptRooms.length === 0 ? NO_ROOMS : new Set(exceptRooms);
}
