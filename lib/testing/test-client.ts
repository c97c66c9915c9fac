import type { EventEmitter } from 'node:events';
import { WebSocket } from 'ws';
import type {
  AnyContract,
  ClientPayload,
  ClientReply,
  ClientType,
  ServerPayload,
  ServerType,
} from '../contract/contract-types.js';
import type { Hello, Message, MessageId, WireError } from '../protocol/envelope.js';

/** A parsed frame of the server. */
export interface ReceivedFrame {
  readonly type: string;
  readonly id?: MessageId;
  readonly payload?: unknown;
}

// Without a contract every type may be sent and received, and payloads are unknown.
type Typed<C extends AnyContract, Known> = AnyContract extends C ? unknown : Known;
type Arguments<C extends AnyContract, T extends ClientType<C>> = AnyContract extends C
  ? [payload?: unknown]
  : [ClientPayload<C, T>] extends [null]
    ? [payload?: null]
    : [payload: ClientPayload<C, T>];

export interface TestClientOptions {
  /** Sent as `Authorization: Bearer`. @default none */
  readonly token?: string;
  /** More headers of the upgrade request. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** Subprotocols to offer. @default none */
  readonly protocols?: readonly string[];
  /** How long `next`, `reply` and the like wait before they fail. @default 5_000 */
  readonly timeoutMs?: number;
}

/** What a test may do to a client's socket. */
export interface TestSocket extends EventEmitter {
  readonly readyState: number;
  /** The subprotocol that the server chose. */
  readonly protocol: string;
  send(data: string | Buffer): void;
  /** Sends a protocol ping. */
  ping(data?: string | Buffer): void;
  /** Stops reading, as a slow client does. */
  pause(): void;
  resume(): void;
  close(code?: number, reason?: string): void;
  /** Ends the connection without a close frame. */
  terminate(): void;
}

interface Waiter {
  readonly wanted: (frame: ReceivedFrame) => boolean;
  readonly resolve: (frame: ReceivedFrame) => void;
  readonly reject: (error: Error) => void;
}

/** A WebSocket client that queues every frame, so that a test misses none. `TestClient<typeof contract>` types its payloads. */
export class TestClient<C extends AnyContract = AnyContract> {
  /** Frames that were not taken yet, oldest first. */
  readonly frames: ReceivedFrame[] = [];
  /** Resolves when the socket has closed, however it ended. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #socket: WebSocket;
  readonly #waiters: Waiter[] = [];
  readonly #timeoutMs: number;
  /** What was sent before the socket was open. */
  readonly #early: string[] = [];
  #ended: string | undefined;
  #count = 0;

  constructor(url: string, options: TestClientOptions = {}) {
    const { token, headers, protocols = [], timeoutMs = 5_000 } = options;
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#timeoutMs = timeoutMs;
    this.#socket = new WebSocket(url, [...protocols], { headers: { ...authorization, ...headers } });
    this.#socket.on('message', (data) => this.#receive(JSON.parse(String(data)) as ReceivedFrame));
    this.#socket.on('open', () => {
      for (const text of this.#early.splice(0)) this.#socket.send(text);
    });
    // A refused upgrade is an error first and a close with 1006 after; `#ended` keeps its message.
    this.#socket.on('error', (error) => (this.#ended ??= error.message));
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', (code, reason) => {
        this.#end(`closed with ${code} ${reason.toString()}`.trim());
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** The `ws` socket. */
  get socket(): TestSocket {
    return this.#socket;
  }

  /** Waits for `$hello`. */
  async hello(): Promise<Hello> {
    return (await this.nextOfType('$hello')).payload as Hello;
  }

  /** Sends a message as it is. */
  send(message: Message & { id?: MessageId }): void {
    this.sendText(JSON.stringify(message));
  }

  /** Sends any text frame, an invalid one too. */
  sendText(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
    else this.#early.push(text);
  }

  /** Sends a message and waits for its reply; rejects with a `TestReplyError` on `$error`. */
  request<T extends ClientType<C>>(
    type: T,
    ...[payload]: Arguments<C, T>
  ): Promise<Typed<C, ClientReply<C, T>>> {
    const id = `t${++this.#count}`;
    this.send({ type, payload, id });
    return this.reply(id) as Promise<Typed<C, ClientReply<C, T>>>;
  }

  /** The payload of the `$reply` with this id; rejects with a `TestReplyError` when an `$error` has it. */
  async reply(id: MessageId): Promise<unknown> {
    const isReply = (frame: ReceivedFrame) =>
      frame.id === id && (frame.type === '$reply' || frame.type === '$error');
    const { type, payload } = await this.#take(`a reply to ${id}`, isReply);
    if (type === '$error') throw new TestReplyError(payload as WireError);
    return payload;
  }

  /** The next frame of any kind. */
  next(): Promise<ReceivedFrame> {
    return this.#take('a frame', () => true);
  }

  /** The next frame of a type; frames of other types stay queued. */
  nextOfType<T extends ServerType<C>>(
    type: T,
  ): Promise<ReceivedFrame & { readonly payload: Typed<C, ServerPayload<C, T>> }>;
  nextOfType(type: `$${string}` | 'pong'): Promise<ReceivedFrame>;
  nextOfType(type: string): Promise<ReceivedFrame> {
    return this.#take(`a frame of type ${type}`, (frame) => frame.type === type);
  }

  /** Closes and waits for the end. */
  async close(code = 1000): Promise<void> {
    this.#socket.close(code);
    await this.closed;
  }

  #receive(frame: ReceivedFrame): void {
    const index = this.#waiters.findIndex(({ wanted }) => wanted(frame));
    if (index < 0) this.frames.push(frame);
    else this.#waiters.splice(index, 1)[0]?.resolve(frame);
  }

  #take(what: string, wanted: (frame: ReceivedFrame) => boolean): Promise<ReceivedFrame> {
    const index = this.frames.findIndex(wanted);
    if (index >= 0) return Promise.resolve(this.frames.splice(index, 1)[0] as ReceivedFrame);
    if (this.#socket.readyState === WebSocket.CLOSED) {
      return Promise.reject(new Error(`Expected ${what}, but the socket has ended: ${this.#ended}.`));
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        wanted,
        resolve: (frame) => {
          clearTimeout(timer);
          resolve(frame);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        const queued = this.frames.map(({ type }) => type).join(', ') || 'nothing';
        reject(new Error(`Expected ${what} within ${this.#timeoutMs} ms; queued: ${queued}.`));
      }, this.#timeoutMs);
      this.#waiters.push(waiter);
    });
  }

  #end(how: string): void {
    this.#ended = this.#ended === undefined ? how : `${this.#ended}; ${how}`;
    for (const waiter of this.#waiters.splice(0)) {
      waiter.reject(new Error(`The socket ended while a test waited: ${this.#ended}.`));
    }
  }
}

/** An `$error` in place of a reply. */
export class TestReplyError extends Error {
  override readonly name = 'TestReplyError';
  readonly code: string;
  readonly details: unknown;
  readonly issues: WireError['issues'];

  constructor({ code, message, details, issues }: WireError) {
    super(`${code}: ${message}`);
    this.code = code;
    this.details = details;
    this.issues = issues;
  }
}
