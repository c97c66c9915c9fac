import { CloseCode } from '../protocol/close-codes.js';
import { fitCloseReason, requireSendableCloseCode } from './close-frame.js';
import { encodeMessage } from '../protocol/codec.js';
import { isReservedType, type Message } from '../protocol/envelope.js';
import type { Delivery } from '../protocol/delivery.js';
import { Frame, isTextLargerThan } from './frame.js';
import { FrameHold } from './frame-hold.js';
import { MessageTooLargeError } from './message-too-large.js';
import type { PathParams } from './path-params.js';
import type { ReceiveQueue } from './receive-queue.js';
import type { SendQueue, WebSocketLike } from './send-queue.js';

export type { ParamsOf, PathParams } from './path-params.js';

/** Augment this interface to type `connection.user` everywhere in your app. */
export interface ConnectionUser {}

/** Augment this interface to type `connection.data` everywhere in your app. */
export interface ConnectionData {}

/** The identity of a connection, as `authenticate` returned it. */
export interface Identity<User = ConnectionUser> {
  /** The key of `sendToUser`; absent for an anonymous connection. */
  readonly userId?: string | undefined;
  /** What `connection.user` holds. @default the whole identity */
  readonly user?: User;
  /** When the token expires, in milliseconds since the epoch. @default never */
  readonly expiresAt?: number | undefined;
}

/** What is known when a socket is accepted. */
export interface ConnectionOrigin {
  readonly id: string;
  readonly sessionId: string;
  /** The gateway's path as declared. */
  readonly path: string;
  /** The values of the path's `:params`. */
  readonly params: PathParams;
  readonly ip: string;
}

/** Where connections join and leave rooms: the registry. */
export interface RoomMembership {
  join(connection: Connection, room: string): Promise<void>;
  leave(connection: Connection, room: string): void;
}

/** The two directions of a connection. */
export interface ConnectionQueues {
  readonly send: SendQueue;
  readonly receive: ReceiveQueue;
}

// A hook that sends more than this before `$hello` has a fault of its own.
const MAX_HELD_BYTES = 1_048_576;

/** @internal The reason of 4413. */
export const SLOW_REASON = 'too slow';

const NO_ROOMS: ReadonlySet<string> = new Set();

/**
 * One WebSocket and its identity. Messages sent before `handleConnection` has finished are held, and follow `$hello`.
 */
export class Connection<
  User = ConnectionUser,
  Data = ConnectionData,
  Params extends Readonly<Record<string, string | undefined>> = PathParams,
> {
  /** The id of this connection; another one after a reconnect. */
  readonly id: string;
  /** The gateway's path as declared. */
  readonly path: string;
  /** The values of the path's `:params`; type them with `ParamsOf<'/venues/:venueId'>`. */
  readonly params: Params;
  /** The client's IP address, as `trustProxy` determines it. */
  readonly ip: string;
  /** When the socket was accepted, in milliseconds since the epoch. */
  readonly connectedAt = Date.now();
  /** @internal The messages of the client. */
  readonly receiveQueue: ReceiveQueue;

  #sessionId: string;
  #userId: string | undefined;
  #user: User | undefined;
  #expiresAt: number | undefined;
  #data: Data | undefined;
  #rooms: Set<string> | undefined;
  /** Holds every frame until `ready`; none afterwards unless a channel is held. */
  #frameHold: FrameHold | undefined = new FrameHold(MAX_HELD_BYTES);
  #closing = false;
  readonly #ws: WebSocketLike;
  readonly #sendQueue: SendQueue;
  readonly #membership: RoomMembership;

  constructor(
    origin: ConnectionOrigin,
    ws: WebSocketLike,
    queues: ConnectionQueues,
    membership: RoomMembership,
  ) {
    this.id = origin.id;
    this.#sessionId = origin.sessionId;
    this.path = origin.path;
    this.params = origin.params as Params;
    this.ip = origin.ip;
    this.#ws = ws;
    this.#sendQueue = queues.send;
    this.receiveQueue = queues.receive;
    this.#membership = membership;
    this.#frameHold?.hold();
  }

  /** Identifies this client across reconnects; a secret that only the client knows. */
  get sessionId(): string {
    return this.#sessionId;
  }

  /** The user's id, as `authenticate` returned it; `undefined` for an anonymous connection. */
  get userId(): string | undefined {
    return this.#userId;
  }

  /** What `authenticate` returned as `user`, or all it returned; `undefined` for an app without `authenticate`. */
  get user(): User | undefined {
    return this.#user;
  }

  /** The rooms this connection is in; after a disconnect, those it was in. */
  get rooms(): ReadonlySet<string> {
    return this.#rooms ?? NO_ROOMS;
  }

  /** Data that your app keeps about this connection. */
  get data(): Data {
    return (this.#data ??= {} as Data);
  }

  set data(data: Data) {
    this.#data = data;
  }

  /** Whether messages can still be sent to this client. */
  get isOpen(): boolean {
    return !this.#closing && this.#ws.readyState === 1;
  }

  /** Sends one message to this client; false when the connection is closed. Throws when the payload is not JSON or too large. */
  send(message: Message): boolean {
    if (isReservedType(message.type)) {
      throw new Error(`Expected a type of your contract, got the reserved type "${message.type}".`);
    }
    const frame = new Frame(encodeMessage(message.type, message.payload));
    const { maxBytes } = this.#sendQueue;
    if (frame.isLargerThan(maxBytes)) throw new MessageTooLargeError(message.type, frame.length, maxBytes);
    return this.sendFrame(frame, 'live') === 'sent';
  }

  /**
   * Joins a room. Resolves when every later publish to the room, from any node, reaches this client. While the backplane is
   * down it resolves for this node's messages; those of other nodes arrive once it is up again.
   */
  join(room: string): Promise<void> {
    return this.#membership.join(this as unknown as Connection, room);
  }

  /** Leaves a room; no later publish to the room reaches this client. Does nothing when the connection is not in it. */
  leave(room: string): void {
    this.#membership.leave(this as unknown as Connection, room);
  }

  /** Closes the connection with a code of 1000–1014 or 3000–4999 that may be sent, and a reason, cut to 123 bytes. */
  close(code: number = CloseCode.NORMAL, reason = ''): void {
    requireSendableCloseCode(code);
    if (this.#closing) return;
    this.#closing = true;
    this.#frameHold = undefined;
    this.#sendQueue.finish();
    this.#ws.close(code, fitCloseReason(reason));
    // A socket that is not read would not see the client's close frame before `closeTimeoutMs` has passed.
    this.receiveQueue.release();
  }

  /** @internal Writes what waits, before the caller closes the socket itself. */
  flush(): void {
    this.#sendQueue.finish();
  }

  /** @internal */
  sendFrame(frame: Frame, delivery: Delivery): 'sent' | 'dropped' | 'closed' {
    if (!this.isOpen) return 'closed';
    if (this.#frameHold?.holds(frame) === true) return this.#hold(this.#frameHold, frame, delivery);
    const outcome = this.#sendQueue.write(frame, delivery === 'volatile');
    if (outcome !== 'overflow') return outcome;
    this.#closeSlow();
    return 'closed';
  }

  /** @internal Sends a protocol message; it does not wait for the connection to be ready. Throws when it is too large. */
  sendText(text: string): void {
    const { maxBytes } = this.#sendQueue;
    if (isTextLargerThan(text, maxBytes)) {
      throw new MessageTooLargeError(typeOf(text), Buffer.byteLength(text), maxBytes);
    }
    if (this.isOpen && this.#sendQueue.writeText(text) === 'overflow') this.#closeSlow();
  }

  /** @internal Resolves when the client has read most of its send queue, or has disconnected. */
  drained(): Promise<void> {
    return this.#sendQueue.drained();
  }

  /** @internal Sends `$hello`, then what was held. */
  ready(hello: string): void {
    this.sendText(hello);
    this.release();
  }

  /** @internal Holds the frames of a channel until `release`; what is sent by `sendText` does not wait. */
  hold(channel: string): void {
    if (!this.isOpen) return;
    this.#frameHold ??= new FrameHold(MAX_HELD_BYTES);
    this.#frameHold.hold(channel);
  }

  /** @internal Sends what was held of a channel after that position; without a channel, what was held before `ready`. */
  release(channel?: string, afterPosition?: string): void {
    const released = this.#frameHold?.release(channel, afterPosition) ?? [];
    if (this.#frameHold?.isIdle === true) this.#frameHold = undefined;
    for (const { frame, delivery } of released) this.sendFrame(frame, delivery);
  }

  /** @internal */
  identify(identity: Identity<User>): void {
    this.#userId = identity.userId;
    this.#user = identity.user ?? (identity as unknown as User);
    this.#expiresAt = identity.expiresAt;
  }

  /** @internal Called by the registry alone. */
  resumeSession(sessionId: string): void {
    this.#sessionId = sessionId;
  }

  /** @internal */
  get expiresAt(): number | undefined {
    return this.#expiresAt;
  }

  /** @internal */
  get queuedBytes(): number {
    return this.#sendQueue.queuedBytes;
  }

  /** @internal */
  ping(): void {
    if (this.#ws.readyState === 1) this.#sendQueue.ping();
  }

  /** @internal */
  pong(data: Buffer): void {
    if (this.isOpen && this.#sendQueue.pong(data) === 'overflow') this.#closeSlow();
  }

  /** @internal Ends the socket without a closing handshake; for peers that do not respond. */
  terminate(): void {
    this.#closing = true;
    this.#ws.terminate();
  }

  /** @internal Called by the registry alone. */
  enterRoom(room: string): boolean {
    const rooms = (this.#rooms ??= new Set());
    if (rooms.has(room)) return false;
    rooms.add(room);
    return true;
  }

  /** @internal Called by the registry alone. */
  exitRoom(room: string): boolean {
    return this.#rooms?.delete(room) ?? false;
  }

  #hold(held: FrameHold, frame: Frame, delivery: Delivery): 'sent' | 'closed' {
    if (held.add(frame, delivery)) return 'sent';
    this.#sendQueue.overflow();
    this.#closeSlow();
    return 'closed';
  }

  #closeSlow(): void {
    this.close(CloseCode.SLOW_CONSUMER, SLOW_REASON);
  }
}

// Every encoder puts the type first.
function typeOf(text: string): string {
  return /^\{"type":"([^"]{1,128})"/.exec(text)?.[1] ?? 'unknown';
}
