import type { Hello, MessageId } from '../protocol/envelope.js';
import type { ResolvedClientOptions } from './client.options.js';
import type { WebSocketLike } from './environment.js';
import { Liveness } from './liveness.js';

/** A frame of the server after parsing. */
export interface ServerFrame {
  readonly type: string;
  readonly payload?: unknown;
  readonly id?: MessageId;
}

/** What a client says to be taken for the same one as before; the positions are those of recoverable channels. */
export interface KnownSession {
  readonly sessionId: string;
  readonly positions: Readonly<Record<string, unknown>>;
}

/** What the server says to `$resume`. */
type Resumption = Partial<Hello> & { readonly answersRemembered?: boolean };

/** What the client says first. */
export interface Credentials {
  readonly token: string | undefined;
  readonly ticket: KnownSession | undefined;
}

export interface ClientConnectionEvents {
  /** The server has said `$hello`, and who we are is settled. */
  onUsable(connection: ClientConnection): void;
  onFrame(connection: ClientConnection, frame: ServerFrame, text: string): void;
  /** Once, unless the connection was left before. */
  onEnd(connection: ClientConnection, code: number, reason: string): void;
}

const OPEN = 1;
// Call ids begin with a random prefix, so these two are never taken for one.
const RESUME_ID = 'resume';
const DRAIN_ID = 'drain';

/** One socket, from its handshake to its end. Once left, nothing of it is heard any more. */
export class ClientConnection {
  hello: Hello | undefined;
  #isUsable = false;
  /** What the server said to `$resume`; nothing in it when it refused. */
  #resumption: Resumption | undefined;
  #liveness: Liveness | undefined;
  #onDrained: (() => void) | undefined;
  readonly #socket: WebSocketLike;

  readonly #credentials: Credentials;
  readonly #options: ResolvedClientOptions;
  readonly #events: ClientConnectionEvents;

  /** Throws what `new WebSocket` throws: an address that can never work. */
  constructor(
    url: string,
    credentials: Credentials,
    options: ResolvedClientOptions,
    events: ClientConnectionEvents,
  ) {
    this.#credentials = credentials;
    this.#options = options;
    this.#events = events;
    const socket = new options.WebSocket(url, [...options.protocols]);
    this.#socket = socket;
    socket.onopen = () => this.#introduce();
    socket.onmessage = ({ data }: { data: string }) => this.#receive(data);
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.#end(code, reason);
    // `close` follows and says it all; `ws` crashes the process when nobody listens.
    socket.onerror = () => undefined;
  }

  /** Whether what is sent now goes out: a socket that has begun to close discards it without a word. */
  get isOpen(): boolean {
    return this.#socket.readyState === OPEN;
  }

  /** Whether the server took us for the client we were before, and still knows what it answered us. */
  get isResumed(): boolean {
    return (
      !!this.hello &&
      this.hello.sessionId === this.#credentials.ticket?.sessionId &&
      this.#resumption?.answersRemembered !== false
    );
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Asks for a sign of life, to be given within `wakeTimeoutMs`. */
  wake(): void {
    this.#liveness?.wake();
  }

  /** PendingRequests back when everything that the server had written so far has arrived. */
  drain(onDrained: () => void): void {
    this.#onDrained = onDrained;
    if (this.isOpen) this.send(`{"type":"ping","id":"${DRAIN_ID}"}`);
  }

  /** Uses the connection as it is, without waiting longer for the answer to `$resume`. False without a `$hello`. */
  settle(): boolean {
    if (!this.hello) return false;
    if (!this.#isUsable) {
      this.#isUsable = true;
      this.hello = { ...this.hello, ...this.#resumption };
      this.#events.onUsable(this);
    }
    return true;
  }

  /** Ends it from this side and stops listening at once. */
  leave(code: number, reason: string): void {
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    this.#liveness?.stop();
    socket.close(code, reason);
  }

  #introduce(): void {
    const { token, ticket } = this.#credentials;
    if (token) this.send(JSON.stringify({ type: '$auth', payload: { token } }));
    if (ticket) this.send(JSON.stringify({ type: '$resume', id: RESUME_ID, payload: ticket }));
  }

  #receive(text: string): void {
    this.#liveness?.heard();
    const frame = frameOf(text);
    if (!frame) return;
    if (frame.type === '$hello') this.#greeted(frame.payload as Hello | undefined);
    else if (frame.id === RESUME_ID) this.#resumeAnswered(frame);
    else if (frame.id === DRAIN_ID) this.#onDrained?.();
    else this.#events.onFrame(this, frame, text);
  }

  #greeted(hello: Hello | null | undefined): void {
    // It comes once, and says at least whose session this is.
    if (this.hello || !hello?.sessionId) return;
    this.hello = hello;
    this.#liveness = new Liveness(
      hello.heartbeat ?? null,
      this.#options,
      () => this.isOpen && this.send('{"type":"ping"}'),
      () => this.#abandon(),
    );
    // PendingRequests must not go out before it is settled whose session they belong to.
    if (!this.#credentials.ticket || this.isResumed || this.#resumption) this.settle();
  }

  #resumeAnswered({ type, payload }: ServerFrame): void {
    this.#resumption = type === '$reply' ? (payload as Resumption) : {};
    this.settle();
  }

  #abandon(): void {
    this.leave(4000, 'silent for too long');
    this.#events.onEnd(this, 1006, 'silent for too long');
  }

  #end(code: number, reason: string): void {
    this.#liveness?.stop();
    this.#events.onEnd(this, code, reason);
  }
}

/** What is no message is no business of ours: another server may live at this address. */
function frameOf(text: string): ServerFrame | undefined {
  try {
    const frame = JSON.parse(text) as ServerFrame | null;
    return typeof frame?.type === 'string' ? frame : undefined;
  } catch {
    return undefined;
  }
}
