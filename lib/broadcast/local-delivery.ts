import type { Recipient } from '../backplane/publication.js';
import type { Connection } from '../connections/connection.js';
import type { ConnectionRegistry } from '../connections/connection-registry.js';
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
    const elsewhere = served === undefined ? exclusionOf(to) : undefined;
    const hasExceptions = except.length > 0 || elsewhere !== undefined || served !== undefined;
    for (const connection of this.#members(to.kind, to.key)) {
      // A message of one gateway's contract is no business of the clients on another path.
      if (paths !== undefined && !paths.has(connection.path)) continue;
      if (hasExceptions && isLeftOut(connection, except, elsewhere, served)) continue;
      counts.count(connection.sendFrame(frame, volatile));
    }
    return counts;
  }

  /** This node's connections that a recipient means, as they are now. */
  recipients(to: Recipient): Connection[] {
    const elsewhere = exclusionOf(to);
    const members = Array.from(this.#members(to.kind, to.key));
    return elsewhere === undefined
      ? members
      : members.filter((connection) => !isInOneOf(connection, elsewhere));
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

function isExcepted(connection: Connection, except: readonly string[]): boolean {
  return except.includes(connection.id) || except.includes(connection.sessionId);
}

function isLeftOut(
  connection: Connection,
  except: readonly string[],
  elsewhere: ReadonlySet<string> | undefined,
  served: Set<Connection> | undefined,
): boolean {
  if (isExcepted(connection, except)) return true;
  if (elsewhere !== undefined && isInOneOf(connection, elsewhere)) return true;
  if (served === undefined) return false;
  if (served.has(connection)) return true;
  served.add(connection);
  return false;
}

/** The rooms whose members got it through another channel. */
function exclusionOf({ unless }: Recipient): ReadonlySet<string> | undefined {
  return unless.length === 0 ? undefined : new Set(unless);
}

// Over the smaller of the two: a connection is in few rooms, or the list is short.
function isInOneOf(connection: Connection, names: ReadonlySet<string>): boolean {
  const joined = connection.rooms;
  const [few, many] = joined.size < names.size ? [joined, names] : [names, joined];
  for (const name of few) if (many.has(name)) return true;
  return false;
}
