import type {
  AnyContract,
  RequestableType,
  ServerMessage,
  ServerPayload,
  ServerReply,
} from '../contract/contract-types.js';
import type { Backplane } from '../backplane/backplane.js';
import type { Publication, Recipient } from '../backplane/publication.js';
import { ALL_CHANNEL, channelOf } from '../backplane/subscriptions.js';
import { Frame } from '../connections/frame.js';
import { nodeOf } from '../connections/connection-id.js';
import { CloseCode, fitCloseReason, isSendableCloseCode } from '../protocol/close-codes.js';
import { encodeMessage } from '../protocol/codec.js';
import { isReservedType, type Message } from '../protocol/envelope.js';
import type { ClientRequests } from './client-requests.js';
import type { Delivery, LocalDelivery } from './local-delivery.js';
import { Tally, type Receipt } from './receipt.js';
import type { ServerMessages } from './server-messages.js';

export interface SendOptions {
  /** Connection or session ids that do not get it, such as the sender's. @default none */
  readonly except?: string | readonly string[];
  /** Only this node's connections. @default false */
  readonly local?: boolean;
  /** Drop it for a client that is behind instead of queueing. @default what the contract says */
  readonly volatile?: boolean;
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
    private readonly backplane: Backplane,
    private readonly nodeId: string,
  ) {}

  /** To every connection of a user: all tabs and devices. */
  sendToUser(userId: string, message: ServerMessage<C>, options?: SendOptions): Promise<Receipt> {
    return this.#send([toUser(userId)], message, options);
  }

  /** To every connection of several users. */
  sendToUsers(
    userIds: readonly string[],
    message: ServerMessage<C>,
    options?: SendOptions,
  ): Promise<Receipt> {
    return this.#send([...new Set(userIds)].map(toUser), message, options);
  }

  sendToRoom(room: string, message: ServerMessage<C>, options?: SendOptions): Promise<Receipt> {
    return this.#send([toRoom(room)], message, options);
  }

  /** To everyone in any of the rooms, once each. */
  sendToRooms(rooms: readonly string[], message: ServerMessage<C>, options?: SendOptions): Promise<Receipt> {
    return this.#send([...new Set(rooms)].map(toRoomUnlessBefore), message, options);
  }

  sendToConnection(connectionId: string, message: ServerMessage<C>, options?: SendOptions): Promise<Receipt> {
    return this.#send([toConnection(connectionId)], message, options);
  }

  /** To every connection of every node whose contract knows the message. */
  broadcast(message: ServerMessage<C>, options?: SendOptions): Promise<Receipt> {
    return this.#send([EVERYONE], message, options);
  }

  /** Asks all of a user's connections; resolves with the first good reply. Rejects with a `ClientRequestError`. */
  requestFromUser<T extends RequestableType<C>>(
    userId: string,
    request: { type: T; payload: ServerPayload<C, T> },
    options?: RequestOptions,
  ): Promise<ServerReply<C, T>> {
    return this.#request(toUser(userId), request, options) as Promise<ServerReply<C, T>>;
  }

  /** Asks one connection; resolves with its validated reply. Rejects with a `ClientRequestError`. */
  requestFromConnection<T extends RequestableType<C>>(
    connectionId: string,
    request: { type: T; payload: ServerPayload<C, T> },
    options?: RequestOptions,
  ): Promise<ServerReply<C, T>> {
    return this.#request(toConnection(connectionId), request, options) as Promise<ServerReply<C, T>>;
  }

  /** Closes every connection of a user, as a logout or a ban does; resolves with how many closed on this node. */
  disconnectUser(userId: string, options?: DisconnectOptions): Promise<number> {
    return this.#disconnect(toUser(userId), options);
  }

  /** Closes the connection of one client. */
  disconnectSession(sessionId: string, options?: DisconnectOptions): Promise<number> {
    return this.#disconnect({ kind: 'session', key: sessionId, unless: [] }, options);
  }

  /** Closes one connection. */
  disconnectConnection(connectionId: string, options?: DisconnectOptions): Promise<number> {
    return this.#disconnect(toConnection(connectionId), options);
  }

  /** Puts every connection of a user into a room; resolves when later sends to the room reach those of this node. */
  async joinRoom(userId: string, room: string): Promise<void> {
    const to = toUser(userId);
    await Promise.all([...this.delivery.recipients(to)].map((connection) => connection.join(room)));
    await this.#publish({ kind: 'join', to, room });
  }

  async leaveRoom(userId: string, room: string): Promise<void> {
    const to = toUser(userId);
    for (const connection of [...this.delivery.recipients(to)]) connection.leave(room);
    await this.#publish({ kind: 'leave', to, room });
  }

  async #send(
    recipients: readonly Recipient[],
    message: Message,
    options: SendOptions = {},
  ): Promise<Receipt> {
    const { type } = message;
    if (isReservedType(type)) {
      throw new Error(`Expected a server message of your contract, got the reserved type "${type}".`);
    }
    const { except = NOBODY, local = false, volatile = this.serverMessages.isVolatile(type) } = options;
    const delivery: Delivery = {
      type,
      frame: new Frame(encodeMessage(type, message.payload)),
      except: typeof except === 'string' ? [except] : except,
      volatile,
    };
    const tally = new Tally();
    for (const to of recipients) this.delivery.deliver(to, delivery, tally);
    const { delivered, dropped } = tally;
    if (local) return { delivered, dropped, nodes: 0, scope: 'node' };
    const nodes = await Promise.all(recipients.map((to) => this.#publishMessage(to, delivery)));
    // One node may have been told of several recipients; which ones is not known, so the sum would count it twice.
    return { delivered, dropped, nodes: nodes.reduce((most, count) => Math.max(most, count), 0), scope: 'cluster' };
  }

  #publishMessage(to: Recipient, { type, frame, except, volatile }: Delivery): Promise<number> {
    return this.#publish({ kind: 'message', to, type, text: frame.text, except, volatile });
  }

  async #publish(publication: Publication): Promise<number> {
    const { to } = publication;
    if (to.kind === 'connection' && nodeOf(to.key) === this.nodeId) return 0;
    const { nodes } = await this.backplane.publish(channelFor(to), publication);
    return nodes;
  }

  async #request(to: Recipient, request: Message, options: RequestOptions = {}): Promise<unknown> {
    const { timeoutMs = DEFAULT_REQUEST_TIMEOUT_MS } = options;
    const reply = this.serverMessages.entryOf(request.type)?.reply;
    const question = { type: request.type, payload: request.payload, reply };
    return this.requests.ask(this.delivery.recipients(to), question, timeoutMs);
  }

  async #disconnect(to: Recipient, options: DisconnectOptions = {}): Promise<number> {
    const { code = CloseCode.DISCONNECTED, reason = 'disconnected by the server' } = options;
    if (!isSendableCloseCode(code)) {
      throw new RangeError(`Expected a close code of 1000–1014 or 3000–4999 that may be sent, got ${code}.`);
    }
    const connections = [...this.delivery.recipients(to)];
    for (const connection of connections) connection.close(code, reason);
    await this.#publish({ kind: 'disconnect', to, code, reason: fitCloseReason(reason) });
    return connections.length;
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

function channelFor({ kind, key }: Recipient): string {
  switch (kind) {
    case 'user':
    case 'room':
      return channelOf(kind, key);
    case 'connection':
      return channelOf('node', nodeOf(key));
    case 'all':
    case 'session':
      return ALL_CHANNEL;
  }
}
