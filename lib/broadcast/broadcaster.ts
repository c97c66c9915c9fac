import type {
  AnyContract,
  OutgoingMessage,
  OutgoingPayload,
  RequestableType,
  ServerReply,
} from '../contract/contract-types.js';
import type { Publication, Recipient } from '../backplane/publication.js';
import { Frame } from '../connections/frame.js';
import { nodeOf } from '../connections/connection-id.js';
import { CloseCode, fitCloseReason, isSendableCloseCode } from '../protocol/close-codes.js';
import { encodeMessage } from '../protocol/codec.js';
import { isReservedType, type Message } from '../protocol/envelope.js';
import { firstAnswer, validAnswer, type ClientRequests } from './client-requests.js';
import type { Delivery, LocalDelivery } from './local-delivery.js';
import { Tally, type Receipt } from './receipt.js';
import type { RemoteNodes } from './remote-nodes.js';
import type { ServerMessages } from './server-messages.js';

export interface SendOptions {
  /** Connection or session ids that do not get it, such as the sender's. @default none */
  readonly except?: string | readonly string[];
  /** Only this node's connections. @default false */
  readonly local?: boolean;
  /** Drop it for a client that is behind instead of queueing. @default what the contract says */
  readonly volatile?: boolean;
  /** Wait so long, in milliseconds, for other nodes to say how many connections they reached. @default false */
  readonly confirmWithinMs?: number | false;
}

export interface RequestOptions {
  /** How long to wait for the answer, in milliseconds. @default 10_000 */
  readonly timeoutMs?: number;
}

export interface DisconnectOptions {
  /** The close code; 4000–4499 ask the client to come back. @default 4500 (does not come back) */
  readonly code?: number;
  /** At most 123 bytes. @default 'disconnected by the server' */
  readonly reason?: string;
}

const DEFAULT_REQUEST_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 2_000;
const NOBODY: readonly string[] = [];

/**
 * Sends to users, rooms and connections wherever they are, from any provider, at any time. Each method resolves with
 * what is known; it rejects only when the message itself is wrong (a reserved type, a payload that is no JSON).
 */
export class Broadcaster<C extends AnyContract = AnyContract> {
  constructor(
    private readonly delivery: LocalDelivery,
    private readonly serverMessages: ServerMessages,
    private readonly requests: ClientRequests,
    private readonly remote: RemoteNodes,
    private readonly nodeId: string,
  ) {}

  /** To every connection of a user: all tabs and devices. */
  sendToUser(userId: string, message: OutgoingMessage<C>, options?: SendOptions): Promise<Receipt> {
    return this.#send([toUser(userId)], message, options);
  }

  /** To every connection of several users. */
  sendToUsers(
    userIds: readonly string[],
    message: OutgoingMessage<C>,
    options?: SendOptions,
  ): Promise<Receipt> {
    return this.#send([...new Set(userIds)].map(toUser), message, options);
  }

  sendToRoom(room: string, message: OutgoingMessage<C>, options?: SendOptions): Promise<Receipt> {
    return this.#send([toRoom(room)], message, options);
  }

  /** To everyone in any of the rooms, once each. */
  sendToRooms(
    rooms: readonly string[],
    message: OutgoingMessage<C>,
    options?: SendOptions,
  ): Promise<Receipt> {
    return this.#send([...new Set(rooms)].map(toRoomUnlessBefore), message, options);
  }

  sendToConnection(
    connectionId: string,
    message: OutgoingMessage<C>,
    options?: SendOptions,
  ): Promise<Receipt> {
    return this.#send([toConnection(connectionId)], message, options);
  }

  /** To every connection of every node whose contract knows the message. */
  broadcast(message: OutgoingMessage<C>, options?: SendOptions): Promise<Receipt> {
    return this.#send([EVERYONE], message, options);
  }

  /** Asks all of a user's connections; resolves with the first good reply. Rejects with a `ClientRequestError`. */
  requestFromUser<T extends RequestableType<C>>(
    userId: string,
    request: { type: T; payload: OutgoingPayload<C, T> },
    options?: RequestOptions,
  ): Promise<ServerReply<C, T>> {
    return this.#request(toUser(userId), request, options) as Promise<ServerReply<C, T>>;
  }

  /** Asks one connection; resolves with its validated reply. Rejects with a `ClientRequestError`. */
  requestFromConnection<T extends RequestableType<C>>(
    connectionId: string,
    request: { type: T; payload: OutgoingPayload<C, T> },
    options?: RequestOptions,
  ): Promise<ServerReply<C, T>> {
    return this.#request(toConnection(connectionId), request, options) as Promise<ServerReply<C, T>>;
  }

  /** Closes every connection of a user, as a logout or a ban does. */
  disconnectUser(userId: string, options?: DisconnectOptions): Promise<Receipt> {
    return this.#disconnect(toUser(userId), options);
  }

  /** Closes the connections of one client. */
  disconnectSession(sessionId: string, options?: DisconnectOptions): Promise<Receipt> {
    return this.#disconnect({ kind: 'session', key: sessionId, unless: NOBODY }, options);
  }

  /** Closes one connection. */
  disconnectConnection(connectionId: string, options?: DisconnectOptions): Promise<Receipt> {
    return this.#disconnect(toConnection(connectionId), options);
  }

  /** Puts every connection of a user into a room; when it resolves without `missingNodes`, later sends reach them all. */
  async joinRoom(userId: string, room: string): Promise<Receipt> {
    const to = toUser(userId);
    const connections = this.delivery.recipients(to);
    await Promise.all(connections.map((connection) => connection.join(room)));
    const tally = new Tally();
    // This node has the members, and what other nodes send to them does not arrive yet.
    if (connections.length > 0 && this.delivery.isPending(room)) tally.reached(0, 1);
    return this.#command({ kind: 'join', to, room }, connections.length, tally);
  }

  async leaveRoom(userId: string, room: string): Promise<Receipt> {
    const to = toUser(userId);
    const connections = this.delivery.recipients(to);
    for (const connection of connections) connection.leave(room);
    return this.#command({ kind: 'leave', to, room }, connections.length);
  }

  #send(recipients: readonly Recipient[], message: Message, options: SendOptions = {}): Promise<Receipt> {
    const { local = false, confirmWithinMs = false } = options;
    let delivery: Delivery;
    try {
      delivery = this.#deliveryOf(message, options);
    } catch (error) {
      return Promise.reject(error);
    }
    const tally = new Tally();
    for (const to of recipients) this.delivery.deliver(to, delivery, tally);
    if (local) return Promise.resolve(tally.receipt('node'));
    const { type, except, volatile } = delivery;
    const { text } = delivery.frame;
    const publications = recipients.map((to): Publication => ({
      kind: 'message',
      to,
      type,
      text,
      except,
      volatile,
    }));
    return this.#publish(publications, tally, confirmWithinMs);
  }

  #deliveryOf({ type, payload }: Message, { except = NOBODY, volatile }: SendOptions): Delivery {
    if (isReservedType(type)) {
      throw new Error(`Expected a server message of your contract, got the reserved type "${type}".`);
    }
    return {
      type,
      frame: new Frame(encodeMessage(type, payload)),
      except: typeof except === 'string' ? [except] : except,
      volatile: volatile ?? this.serverMessages.isVolatile(type),
    };
  }

  async #request(to: Recipient, request: Message, options: RequestOptions = {}): Promise<unknown> {
    const { timeoutMs = DEFAULT_REQUEST_TIMEOUT_MS } = options;
    const { type, payload } = request;
    const reply = this.serverMessages.entryOf(type)?.reply;
    const here = this.requests.ask(this.delivery.recipients(to), { type, payload, reply }, timeoutMs);
    if (this.#isHere(to)) return here;
    const elsewhere = this.remote.ask({ kind: 'ask', to, type, payload: payload ?? null, timeoutMs });
    return firstAnswer([here, elsewhere.then((answer) => validAnswer(reply, answer))]);
  }

  async #disconnect(to: Recipient, options: DisconnectOptions = {}): Promise<Receipt> {
    const { code = CloseCode.DISCONNECTED, reason = 'disconnected by the server' } = options;
    if (!isSendableCloseCode(code)) {
      throw new RangeError(`Expected a close code of 1000–1014 or 3000–4999 that may be sent, got ${code}.`);
    }
    const connections = this.delivery.recipients(to);
    for (const connection of connections) connection.close(code, reason);
    return this.#command(
      { kind: 'disconnect', to, code, reason: fitCloseReason(reason) },
      connections.length,
    );
  }

  /** Commands are confirmed: who disconnects a user wants to know that it happened. */
  #command(publication: Publication, delivered: number, tally = new Tally()): Promise<Receipt> {
    tally.add({ delivered, dropped: 0 });
    return this.#publish([publication], tally, COMMAND_TIMEOUT_MS);
  }

  #publish(
    publications: readonly Publication[],
    tally: Tally,
    confirmWithinMs: number | false,
  ): Promise<Receipt> {
    const [first] = publications;
    // Whoever is meant by connection is meant alone.
    if (first === undefined || ('to' in first && this.#isHere(first.to))) {
      return Promise.resolve(tally.receipt());
    }
    const receipts = publications.map((publication) =>
      this.remote.publish(publication, confirmWithinMs, tally),
    );
    return receipts.length === 1
      ? (receipts[0] as Promise<Receipt>)
      : Promise.all(receipts).then(() => tally.receipt());
  }

  /** Whether a recipient can only be on this node. */
  #isHere({ kind, key }: Recipient): boolean {
    return kind === 'connection' && nodeOf(key) === this.nodeId;
  }
}

const EVERYONE: Recipient = { kind: 'all', key: '', unless: NOBODY };

function toUser(userId: string): Recipient {
  return { kind: 'user', key: userId, unless: NOBODY };
}

function toRoom(room: string): Recipient {
  return { kind: 'room', key: room, unless: NOBODY };
}

// Each room is published on its own channel; its later copies skip whoever is in an earlier room of the list.
function toRoomUnlessBefore(room: string, position: number, rooms: readonly string[]): Recipient {
  return { kind: 'room', key: room, unless: rooms.slice(0, position) };
}

function toConnection(connectionId: string): Recipient {
  return { kind: 'connection', key: connectionId, unless: NOBODY };
}
