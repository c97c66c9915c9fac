import { CloseCode, fitCloseReason, isSendableCloseCode } from '../protocol/close-codes.js';
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

/** Who a connection is, as `authenticate` said. */
export interface Identity<User = ConnectionUser> {
  /** The key of `sendToUser`; absent for an anonymous connection. */
  readonly userId?: string | undefined;
  /** What `connection.user` holds. @default the whole identity */
  readonly user?: User;
  /** When the token expires, in milliseconds since the epoch. @default never */
  readonly expiresAt?: number | undefined;
}

/** How a connection ended. */
export interface Disconnection {
  readonly code: number;
  readonly reason: string;
}

/** What is fixed when a socket is accepted. */
export interface ConnectionOrigin {
  readonly id: string;
  readonly sessionId: string;
  /** The gateway's path as declared. */
  readonly path: string;
  /** The values of the path's `:params`. */
  readonly params: PathParams;
  readonly ip: string;
}

/** Rooms are kept by the registry; a connection only asks. */
export interface RoomMembership {
  join(connection: Connection, room: string): Promise<void>;
  leave(connection: Connection, room: string): void;
}

/** The two directions of a connection. */
export interface ConnectionQueues {
  readonly send: SendQueue;
  readonly receive: ReceiveQueue;
}

// More than this waits before `$hello` only when a hook never stops sending.
const MAX_HELD_BYTES = 1_048_576;

/** @internal The reason of 4413. */
export const SLOW_REASON = 'too slow';

const NO_ROOMS: ReadonlySet<string> = new Set();

/**
 * One WebSocket with who is behind it. Messages sent while it opens are held and follow `$hello`; nothing reaches
 * a client whose `handleConnection` has not finished.
 */
export class Connection<
  User = ConnectionUser,
  Data = ConnectionData,
  Params extends Readonly<Record<string, string | undefined>> = PathParams,
> {
  readonly id: string;
  readonly path: string;
  /** The values of the path's `:params`; type them with `ParamsOf<'/venues/:venueId'>`. */
  readonly params: Params;
  readonly ip: string;
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

  /** Names this client across reconnects; secret, known to the client alone. */
  get sessionId(): string {
    return this.#sessionId;
  }

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

  /** Anything your app keeps about this connection. */
  get data(): Data {
    return (this.#data ??= {} as Data);
  }

  set data(data: Data) {
    this.#data = data;
  }

  /** Whether messages still reach this client. */
  get isOpen(): boolean {
    return !this.#closing && this.#ws.readyState === 1;
  }

  /** Sends one message to this client; false when it is closed already. Throws when the payload is no JSON or too large. */
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
   * Resolves when every message published to the room from now on, on any node, reaches this client. While the backplane
   * is away it resolves for this node's messages, and those of other nodes come from when it is back.
   */
  join(room: string): Promise<void> {
    return this.#membership.join(this as unknown as Connection, room);
  }

  leave(room: string): void {
    this.#membership.leave(this as unknown as Connection, room);
  }

  /** Closes with a code of 1000 or 3000–4999 and a reason of at most 123 bytes (longer ones are cut). */
  close(code: number = CloseCode.NORMAL, reason = ''): void {
    if (!isSendableCloseCode(code)) {
      throw new RangeError(`Expected a close code of 1000–1014 or 3000–4999 that may be sent, got ${code}.`);
    }
    if (this.#closing) return;
    this.#closing = true;
    this.#frameHold = undefined;
    this.#sendQueue.finish();
    this.#ws.close(code, fitCloseReason(reason));
    // A socket that is not read would not see the client's close frame before `closeTimeoutMs` has passed.
    this.receiveQueue.release();
  }

  /** @internal Writes out what this turn has brought; for whoever closes the socket itself. */
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

  /** @internal A protocol answer; it does not wait for the connection to be ready. Throws when it is too large. */
  sendText(text: string): void {
    const { maxBytes } = this.#sendQueue;
    if (isTextLargerThan(text, maxBytes)) {
      throw new MessageTooLargeError(typeOf(text), Buffer.byteLength(text), maxBytes);
    }
    if (this.isOpen && this.#sendQueue.writeText(text) === 'overflow') this.#closeSlow();
  }

  /** @internal Resolves when the client has read most of what waits for it, or is gone. */
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

  /** @internal Ends the socket without a closing handshake; for peers that no longer answer. */
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
