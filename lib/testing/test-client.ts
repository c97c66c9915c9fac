import type { EventEmitter } from 'node:events';
import { WebSocket } from 'ws';
import type { Hello, Message, MessageId, WireError } from '../protocol/envelope.js';

/** A frame of the server as it came, parsed. */
export interface ReceivedFrame {
  readonly type: string;
  readonly id?: MessageId;
  readonly payload?: unknown;
}

export interface TestClientOptions {
  /** Sent as `Authorization: Bearer`. @default none */
  readonly token?: string;
  /** More headers of the upgrade request. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** Subprotocols to offer. @default none */
  readonly protocols?: readonly string[];
  /** How long `next` and its kin wait before they fail. @default 5_000 */
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
  /** Stops reading, as a client does that is too slow. */
  pause(): void;
  resume(): void;
  close(code?: number, reason?: string): void;
  /** Cuts the connection without a word. */
  terminate(): void;
}

interface Waiter {
  readonly wanted: (frame: ReceivedFrame) => boolean;
  readonly resolve: (frame: ReceivedFrame) => void;
  readonly reject: (error: Error) => void;
}

/** A WebSocket client that queues every frame from its first byte on, so that a test misses nothing. */
export class TestClient {
  /** Frames that nobody has asked for yet, oldest first. */
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
    // A refused upgrade is an error first and a close with 1006 after; `#ended` keeps its words.
    this.#socket.on('error', (error) => (this.#ended ??= error.message));
    this.closed = new Promise((resolve) => {
      this.#socket.on('close', (code, reason) => {
        this.#end(`closed with ${code} ${reason.toString()}`.trim());
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  /** The `ws` socket underneath, for what a test does to it. */
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

  /** Sends any text frame, a broken one too. */
  sendText(text: string): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(text);
    else this.#early.push(text);
  }

  /** Sends a message and waits for its reply; rejects with a `TestReplyError` on `$error`. */
  request(type: string, payload?: unknown): Promise<unknown> {
    const id = `t${++this.#count}`;
    this.send({ type, payload, id });
    return this.reply(id);
  }

  /** The payload of the `$reply` with this id; rejects with a `TestReplyError` when an `$error` has it. */
  async reply(id: MessageId): Promise<unknown> {
    const answer = (frame: ReceivedFrame) =>
      frame.id === id && (frame.type === '$reply' || frame.type === '$error');
    const { type, payload } = await this.#take(`an answer to ${id}`, answer);
    if (type === '$error') throw new TestReplyError(payload as WireError);
    return payload;
  }

  /** The next frame of any kind. */
  next(): Promise<ReceivedFrame> {
    return this.#take('a frame', () => true);
  }

  /** The next frame of a type; frames of other types stay queued. */
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
