import type {
  AnyContract,
  OutgoingMessage,
  OutgoingPayload,
  RequestableType,
  ServerReply,
} from '../contract/contract-types.js';
import type { Publication, Recipient } from '../backplane/publication.js';
import type { Connection } from '../connections/connection.js';
import { Frame } from '../connections/frame.js';
import { checkRoomName } from '../connections/room-name.js';
import { nodeOf } from '../connections/connection-id.js';
import { CloseCode, fitCloseReason, isSendableCloseCode } from '../protocol/close-codes.js';
import { encodeMessage } from '../protocol/codec.js';
import { isReservedType, type Message } from '../protocol/envelope.js';
import {
  connection,
  everyone,
  exceptions,
  requireTimeout,
  room,
  rooms,
  session,
  user,
  users,
} from './recipients.js';
import { firstAnswer, validAnswer, type ClientRequests } from './client-requests.js';
import type { Delivery, LocalDelivery } from './local-delivery.js';
import { DeliveryCounts, type Receipt } from './receipt.js';
import type { ClusterPublisher } from './cluster-publisher.js';
import type { ServerMessages } from './server-messages.js';

export interface SendOptions {
  /** Connection or session ids that do not get it, such as the sender's. @default none */
  readonly except?: string | readonly string[];
  /** Only this node's connections. @default false */
  readonly local?: boolean;
  /** Let it give way to newer ones for a client that is behind. @default what the contract says */
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

/**
 * Sends to users, rooms and connections wherever they are, from any provider, at any time. Each method resolves with
 * what is known; it rejects only when what it is given is wrong: no id or room name, a type that no contract knows, no JSON, too large.
 */
export class Broadcaster<C extends AnyContract = AnyContract> {
  constructor(
    private readonly delivery: LocalDelivery,
    private readonly serverMessages: ServerMessages,
    private readonly requests: ClientRequests,
    private readonly remote: ClusterPublisher,
    private readonly nodeId: string,
  ) {}

  /** To every connection of a user: all tabs and devices. */
  sendToUser(userId: string, message: OutgoingMessage<C>, options?: SendOptions): Promise<Receipt> {
    return this.#send(user, userId, message, options);
  }

  /** To every connection of several users. */
  sendToUsers(
    userIds: readonly string[],
    message: OutgoingMessage<C>,
    options?: SendOptions,
  ): Promise<Receipt> {
    return this.#send(users, userIds, message, options);
  }

  sendToRoom(name: string, message: OutgoingMessage<C>, options?: SendOptions): Promise<Receipt> {
    return this.#send(room, name, message, options);
  }

  /** To everyone in any of the rooms, at most 100, once each. */
  sendToRooms(
    names: readonly string[],
    message: OutgoingMessage<C>,
    options?: SendOptions,
  ): Promise<Receipt> {
    return this.#send(rooms, names, message, options);
  }

  sendToConnection(
    connectionId: string,
    message: OutgoingMessage<C>,
    options?: SendOptions,
  ): Promise<Receipt> {
    return this.#send(connection, connectionId, message, options);
  }

  /** To every connection of every node whose contract knows the message. */
  broadcast(message: OutgoingMessage<C>, options?: SendOptions): Promise<Receipt> {
    return this.#send(everyone, undefined, message, options);
  }

  /** Asks all of a user's connections; resolves with the first good reply. Rejects with a `ClientRequestError`. */
  requestFromUser<T extends RequestableType<C>>(
    userId: string,
    request: { type: T; payload: OutgoingPayload<C, T> },
    options?: RequestOptions,
  ): Promise<ServerReply<C, T>> {
    return this.#request(user, userId, request, options) as Promise<ServerReply<C, T>>;
  }

  /** Asks one connection; resolves with its validated reply. Rejects with a `ClientRequestError`. */
  requestFromConnection<T extends RequestableType<C>>(
    connectionId: string,
    request: { type: T; payload: OutgoingPayload<C, T> },
    options?: RequestOptions,
  ): Promise<ServerReply<C, T>> {
    return this.#request(connection, connectionId, request, options) as Promise<ServerReply<C, T>>;
  }

  /** Closes every connection of a user, as a logout or a ban does. */
  disconnectUser(userId: string, options?: DisconnectOptions): Promise<Receipt> {
    return this.#disconnect(user, userId, options);
  }

  /** Closes the connections of one client. */
  disconnectSession(sessionId: string, options?: DisconnectOptions): Promise<Receipt> {
    return this.#disconnect(session, sessionId, options);
  }

  /** Closes one connection. */
  disconnectConnection(connectionId: string, options?: DisconnectOptions): Promise<Receipt> {
    return this.#disconnect(connection, connectionId, options);
  }

  /** Puts every connection of a user into a room; when it resolves without `missingNodes`, later sends reach them all. */
  async joinRoom(userId: string, room: string): Promise<Receipt> {
    const [to] = user(userId) as [Recipient];
    checkRoomName(room);
    const connections = this.delivery.recipients(to);
    const counts = new DeliveryCounts();
    let joined = 0;
    for (const join of await Promise.allSettled(connections.map((connection) => connection.join(room)))) {
      if (join.status === 'fulfilled') joined++;
      else {
        counts.count('dropped');
        counts.failed(join.reason);
      }
    }
    // This node has the members, and what other nodes send to them does not arrive yet.
    if (joined > 0 && this.delivery.isPending(room)) counts.pendingHere();
    return this.#command({ kind: 'join', to, room }, joined, counts);
  }

  async leaveRoom(userId: string, room: string): Promise<Receipt> {
    const [to] = user(userId) as [Recipient];
    checkRoomName(room);
    const connections = this.delivery.recipients(to);
    for (const connection of connections) connection.leave(room);
    return this.#command({ kind: 'leave', to, room }, connections.length);
  }

  #send<T>(
    address: (target: T) => readonly Recipient[],
    target: T,
    message: Message,
    options: SendOptions = {},
  ): Promise<Receipt> {
    const { local = false, confirmWithinMs = false } = options;
    let recipients: readonly Recipient[];
    let delivery: Delivery;
    try {
      recipients = address(target);
      delivery = this.#deliveryOf(message, options);
      this.delivery.requireSize(delivery);
      if (confirmWithinMs !== false) requireTimeout('confirmWithinMs', confirmWithinMs);
    } catch (error) {
      return Promise.reject(error);
    }
    const counts = new DeliveryCounts();
    // Of several rooms a connection may be in more than one; of several users it is one's.
    const served =
      recipients.length > 1 && recipients[0]?.kind === 'room' ? new Set<Connection>() : undefined;
    for (const to of recipients) this.delivery.deliver(to, delivery, counts, served);
    if (local) return Promise.resolve(counts.receipt('node'));
    const { type, except, volatile } = delivery;
    const { text } = delivery.frame;
    const publications = recipients.map((to): Publication => ({
      kind: 'message',
      to,
      type,
      text,
      except,
      delivery: volatile ? 'volatile' : 'live',
    }));
    return this.#publish(publications, counts, confirmWithinMs);
  }

  #deliveryOf(message: Message, { except, volatile }: SendOptions): Delivery {
    const { type, payload } = requireMessage(message);
    const entry = this.serverMessages.require(type);
    return {
      type,
      frame: new Frame(encodeMessage(type, payload)),
      except: exceptions(except),
      volatile: volatile ?? entry.delivery === 'volatile',
    };
  }

  async #request(
    address: (id: string) => readonly Recipient[],
    id: string,
    request: Message,
    options: RequestOptions = {},
  ): Promise<unknown> {
    const [to] = address(id) as [Recipient];
    const timeoutMs = requireTimeout('timeoutMs', options.timeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS);
    const { type, payload } = requireMessage(request);
    const { reply } = this.serverMessages.require(type);
    if (reply === undefined) {
      throw new Error(
        `Expected a server message with a reply in its contract, got "${type}": give it one, or send it.`,
      );
    }
    const connections = this.delivery.recipientsOf(type, to);
    const here = this.requests.ask(connections, { type, payload, reply }, timeoutMs);
    if (this.#isHere(to)) return here;
    const elsewhere = this.remote.ask({ kind: 'request', to, type, payload: payload ?? null, timeoutMs });
    return firstAnswer([here, elsewhere.then((answer) => validAnswer(reply, answer))]);
  }

  async #disconnect(
    address: (id: string) => readonly Recipient[],
    id: string,
    options: DisconnectOptions = {},
  ): Promise<Receipt> {
    const [to] = address(id) as [Recipient];
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
  #command(publication: Publication, delivered: number, counts = new DeliveryCounts()): Promise<Receipt> {
    counts.add({ delivered, dropped: 0 });
    return this.#publish([publication], counts, COMMAND_TIMEOUT_MS);
  }

  #publish(
    publications: readonly Publication[],
    counts: DeliveryCounts,
    confirmWithinMs: number | false,
  ): Promise<Receipt> {
    const [first] = publications;
    // Whoever is meant by connection is meant alone.
    if (first === undefined || ('to' in first && this.#isHere(first.to))) {
      return Promise.resolve(counts.receipt());
    }
    const receipts = publications.map((publication) =>
      this.remote.publish(publication, confirmWithinMs, counts),
    );
    return receipts.length === 1
      ? (receipts[0] as Promise<Receipt>)
      : Promise.all(receipts).then(() => counts.receipt());
  }

  /** Whether a recipient can only be on this node. */
  #isHere({ kind, key }: Recipient): boolean {
    return kind === 'connection' && nodeOf(key) === this.nodeId;
  }
}

function requireMessage(message: Message): Message {
  if (typeof message !== 'object' || message === null || typeof message.type !== 'string') {
    throw new TypeError('Expected a message { type, payload } whose type is a text of your contract.');
  }
  if (isReservedType(message.type)) {
    throw new Error(`Expected a server message of your contract, got the reserved type "${message.type}".`);
  }
  return message;
}
