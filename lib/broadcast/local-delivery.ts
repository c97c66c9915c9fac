import type { Recipient } from '../backplane/publication.js';
import type { Connection } from '../connections/connection.js';
import type { ConnectionRegistry } from '../connections/connection-registry.js';
import type { Frame } from '../connections/frame.js';
import { Tally } from './receipt.js';
import type { ServerMessages } from './server-messages.js';

/** One message on its way to this node's connections. */
export interface Delivery {
  readonly type: string;
  readonly frame: Frame;
  /** Ids of connections and sessions that do not get it. */
  readonly except: readonly string[];
  readonly volatile: boolean;
}

/** Writes messages to the connections of this node. */
export class LocalDelivery {
  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly serverMessages: ServerMessages,
  ) {}

  deliver(to: Recipient, delivery: Delivery, tally = new Tally()): Tally {
    const { frame, except, volatile } = delivery;
    const paths = this.serverMessages.pathsOf(delivery.type);
    const hasExceptions = except.length > 0 || to.unless.length > 0;
    for (const connection of this.#members(to.kind, to.key)) {
      // A message of one gateway's contract is no business of the clients on another path.
      if (paths !== undefined && !paths.has(connection.path)) continue;
      if (hasExceptions && (isExcepted(connection, except) || isElsewhere(connection, to.unless))) continue;
      tally.count(connection.sendFrame(frame, volatile));
    }
    return tally;
  }

  /** This node's connections that a recipient means, as they are now. */
  recipients({ kind, key, unless }: Recipient): Connection[] {
    return Array.from(this.#members(kind, key)).filter((connection) => !isElsewhere(connection, unless));
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

function isExcepted(connection: Connection, except: readonly string[]): boolean {
  return except.includes(connection.id) || except.includes(connection.sessionId);
}

function isElsewhere(connection: Connection, unless: readonly string[]): boolean {
  return unless.some((room) => connection.rooms.has(room));
}
