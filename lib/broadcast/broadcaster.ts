import type { Recipient } from '../backplane/publication.js';
import { requireSendableCloseCode } from '../connections/close-frame.js';
import { checkRoomName } from '../connections/room-name.js';
import type {
  AnyContract,
  OutgoingMessage,
  OutgoingPayload,
  RequestableType,
  ServerReply,
} from '../contract/contract-types.js';
import { CloseCode } from '../protocol/close-codes.js';
import type { Message } from '../protocol/envelope.js';
import type { ClusterRequests } from './cluster-requests.js';
import type { ConnectionCommands } from './connection-commands.js';
import type { MessageEncoder } from './message-encoder.js';
import type { Receipt } from './receipt.js';
import { connection, everyone, requireTimeout, room, rooms, session, user, users } from './recipients.js';
import type { DisconnectOptions, RequestOptions, SendOptions } from './send.options.js';
import type { EncodedMessage, Senders } from './sender.js';

const DEFAULT_REQUEST_TIMEOUT_MS = 10_000;

/**
 * Sends messages, requests and commands to users, rooms and connections on every node, from any provider. A wrong
 * argument, a message that no contract knows, a payload that is not JSON and a message that is too large reject. When
 * other nodes cannot be reached, sends and commands resolve and `receipt.failure` says why.
 */
export class Broadcaster<C extends AnyContract = AnyContract> {
  constructor(
    private readonly senders: Senders,
    private readonly encoder: MessageEncoder,
    private readonly requests: ClusterRequests,
    private readonly commands: ConnectionCommands,
  ) {}

  /** Sends a message to every connection of a user: all tabs and devices. */
  sendToUser(userId: string, message: OutgoingMessage<C>, options?: SendOptions): Promise<Receipt> {
    return this.#send(user, userId, message, options);
  }

  /** Sends a message to every connection of several users; a repeated user id counts once. */
  sendToUsers(
    userIds: readonly string[],
    message: OutgoingMessage<C>,
    options?: SendOptions,
  ): Promise<Receipt> {
    return this.#send(users, userIds, message, options);
  }

  /** Sends a message to every connection in a room, on every node. */
  sendToRoom(name: string, message: OutgoingMessage<C>, options?: SendOptions): Promise<Receipt> {
    return this.#send(room, name, message, options);
  }

  /** Sends a message to every connection in any of at most 100 rooms; one in several of them gets it once. */
  sendToRooms(
    names: readonly string[],
    message: OutgoingMessage<C>,
    options?: SendOptions,
  ): Promise<Receipt> {
    return this.#send(rooms, names, message, options);
  }

  /** Sends a message to one connection, on whichever node it is; `delivered` is 0 when it has closed. */
  sendToConnection(
    connectionId: string,
    message: OutgoingMessage<C>,
    options?: SendOptions,
  ): Promise<Receipt> {
    return this.#send(connection, connectionId, message, options);
  }

  /** Sends a message to every connection whose path has it in its contract. */
  broadcast(message: OutgoingMessage<C>, options?: SendOptions): Promise<Receipt> {
    return this.#send(everyone, undefined, message, options);
  }

  /** Sends a request to all of a user's connections and resolves with the first valid reply. Rejects with a `ClientRequestError`. */
  requestFromUser<T extends RequestableType<C>>(
    userId: string,
    request: { type: T; payload: OutgoingPayload<C, T> },
    options?: RequestOptions,
  ): Promise<ServerReply<C, T>> {
    return this.#request(user, userId, request, options) as Promise<ServerReply<C, T>>;
  }

  /** Sends a request to one connection and resolves with its validated reply. Rejects with a `ClientRequestError`. */
  requestFromConnection<T extends RequestableType<C>>(
    connectionId: string,
    request: { type: T; payload: OutgoingPayload<C, T> },
    options?: RequestOptions,
  ): Promise<ServerReply<C, T>> {
    return this.#request(connection, connectionId, request, options) as Promise<ServerReply<C, T>>;
  }

  /** Closes every connection of a user, as after a logout or a ban. Rejects with a `RangeError` for a code that must not be sent. */
  disconnectUser(userId: string, options?: DisconnectOptions): Promise<Receipt> {
    return this.#disconnect(user, userId, options);
  }

  /** Closes every connection of a session, which is one client. Rejects with a `RangeError` for a code that must not be sent. */
  disconnectSession(sessionId: string, options?: DisconnectOptions): Promise<Receipt> {
    return this.#disconnect(session, sessionId, options);
  }

  /** Closes one connection. Rejects with a `RangeError` for a code that must not be sent. */
  disconnectConnection(connectionId: string, options?: DisconnectOptions): Promise<Receipt> {
    return this.#disconnect(connection, connectionId, options);
  }

  /**
   * Adds every present connection of a user to a room. When it resolves without `missingNodes`, later messages to the
   * room reach them all; connections opened later are not in the room.
   */
  async joinRoom(userId: string, room: string): Promise<Receipt> {
    const [to] = user(userId) as [Recipient];
    checkRoomName(room);
    return this.commands.join(to, room);
  }

  /** Removes every connection of a user from a room. Later messages from this node to the room do not reach them. */
  async leaveRoom(userId: string, room: string): Promise<Receipt> {
    const [to] = user(userId) as [Recipient];
    checkRoomName(room);
    return this.commands.leave(to, room);
  }

  #send<T>(
    address: (target: T) => readonly Recipient[],
    target: T,
    message: Message,
    options: SendOptions = {},
  ): Promise<Receipt> {
    const { local = false, confirmWithinMs = false } = options;
    let recipients: readonly Recipient[];
    let encoded: EncodedMessage;
    try {
      recipients = address(target);
      encoded = this.encoder.encode(message, options);
      if (confirmWithinMs !== false) requireTimeout('confirmWithinMs', confirmWithinMs);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.senders[encoded.delivery].send(recipients, encoded, { local, confirmWithinMs });
  }

  async #request(
    address: (id: string) => readonly Recipient[],
    id: string,
    request: Message,
    options: RequestOptions = {},
  ): Promise<unknown> {
    const [to] = address(id) as [Recipient];
    const timeoutMs = requireTimeout('timeoutMs', options.timeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS);
    return this.requests.request(to, request, timeoutMs);
  }

  async #disconnect(
    address: (id: string) => readonly Recipient[],
    id: string,
    options: DisconnectOptions = {},
  ): Promise<Receipt> {
    const [to] = address(id) as [Recipient];
    const { code = CloseCode.DISCONNECTED, reason = 'disconnected by the server' } = options;
    requireSendableCloseCode(code);
    return this.commands.disconnect(to, code, reason);
  }
}
