import type { Recipient } from '../backplane/publication.js';
import type { Connection } from '../connections/connection.js';
import type { ConnectionRegistry } from '../connections/connection-registry.js';
import { excludes } from '../connections/exclusions.js';
import type { DeliveryCounts } from './receipt.js';
import type { EncodedMessage } from './sender.js';
import type { ServerMessages } from './server-messages.js';

const NO_ROOMS: ReadonlySet<string> = new Set();

/** Finds the connections of this node that a recipient stands for, and writes messages to them. */
export class LocalDelivery {
  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly serverMessages: ServerMessages,
  ) {}

  /**
   * Skips the connections in `served`, and adds each that gets the message to it; skips those in one of `exceptRooms`.
   */
  deliver(
    to: Recipient,
    { type, frame, except, delivery }: EncodedMessage,
    counts: DeliveryCounts,
    served?: Set<Connection>,
    exceptRooms = NO_ROOMS,
  ): void {
    const paths = this.serverMessages.pathsOf(type);
    const exclusions = except.size > 0 || exceptRooms.size > 0 ? { except, exceptRooms } : undefined;
    for (const connection of this.#members(to.kind, to.key)) {
      // Clients on another path do not know the message.
      if (paths !== undefined && !paths.has(connection.path)) continue;
      if (exclusions !== undefined && excludes(connection, exclusions)) continue;
      if (served !== undefined && !isFirst(connection, served)) continue;
      counts.count(connection.sendFrame(frame, delivery));
    }
  }

  /** A copy of the connections that a recipient stands for. */
  connections(to: Recipient): Connection[] {
    return Array.from(this.#members(to.kind, to.key));
  }

  /** The connections of a recipient whose path has the message in its contract. */
  connectionsKnowing(type: string, to: Recipient): Connection[] {
    const paths = this.serverMessages.pathsOf(type);
    return this.connections(to).filter(({ path }) => paths === undefined || paths.has(path));
  }

  /** Whether other nodes' messages to the room do not reach this node yet. */
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
