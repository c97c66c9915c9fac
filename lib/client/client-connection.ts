import type { Hello, MessageId } from '../protocol/envelope.js';
import type { ResolvedClientOptions } from './client.options.js';
import type { WebSocketLike } from './environment.js';
import { Liveness } from './liveness.js';
import type { Positions } from './positions.js';

/** A parsed frame of the server. */
export interface ServerFrame {
  readonly type: string;
  readonly payload?: unknown;
  readonly id?: MessageId;
  /** What the message is ordered in, and its place there; only on channels with history. */
  readonly channel?: string;
  readonly position?: string;
}

/** The payload of `$resume`. */
export interface KnownSession {
  readonly sessionId: string;
  /** The connections of the session, newest first. */
  readonly connectionIds: readonly string[];
  readonly positions: Positions | { readonly update?: undefined };
}

/** The payload of the reply to `$resume`. */
type Resumption = Partial<Hello> & { readonly answersRemembered?: boolean };

/** What the client sends first. */
export interface Credentials {
  readonly token: string | undefined;
  readonly session: KnownSession | undefined;
}

export interface ClientConnectionEvents {
  /** `$hello` has arrived, and `$resume` is settled; may be called again. */
  onUsable(connection: ClientConnection): void;
  onFrame(connection: ClientConnection, frame: ServerFrame, text: string): void;
  /** Called once, unless `leave` was called before. */
  onEnd(connection: ClientConnection, code: number, reason: string): void;
}

const SILENT = 'no frame in time';

/** One socket, from its handshake to its end. After `leave` it reports nothing. */
export class ClientConnection {
  hello: Hello | undefined;
  /** Empty when the server refused `$resume`. */
  #resumption: Resumption | undefined;
  #liveness: Liveness | undefined;
  /** Handlers of the replies to protocol messages, by id. */
  readonly #replies = new Map<unknown, (frame: ServerFrame) => void>();
  readonly #socket: WebSocketLike;

  readonly #credentials: Credentials;
  readonly #options: ResolvedClientOptions;
  readonly #events: ClientConnectionEvents;

  /** Throws what `new WebSocket` throws for an invalid address. */
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
    socket.onopen = () => this.#authenticate();
    socket.onmessage = ({ data }: { data: string }) => this.#receive(data);
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.#end(code, reason);
    // `close` follows with the details; `ws` throws when `error` has no listener.
    socket.onerror = () => {};
  }

  /** False once the socket has begun to close: it discards what is sent then. */
  get isOpen(): boolean {
    const OPEN = 1;
    return this.#socket.readyState === OPEN;
  }

  /** Whether the session is continued and the server still holds every reply it gave in it. */
  get isResumed(): boolean {
    return (
      !!this.hello &&
      this.hello.sessionId === this.#credentials.session?.sessionId &&
      this.#resumption?.answersRemembered !== false
    );
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Sends a protocol message with its type as id; ids of other requests contain a random prefix. */
  request(type: string, payload: unknown, onReply: (frame: ServerFrame) => void): void {
    this.#replies.set(type, onReply);
    if (this.isOpen) this.send(JSON.stringify({ type, id: type, payload }));
  }

  /** Expects a frame within `wakeTimeoutMs`. */
  wake(): void {
    this.#liveness?.wake();
  }

  /** Makes the connection usable without waiting longer for the reply to `$resume`. False without a `$hello`. */
  settle(): boolean {
    if (!this.hello) return false;
    this.hello = { ...this.hello, ...this.#resumption };
    this.#events.onUsable(this);
    return true;
  }

  /** Closes the socket and stops listening at once. */
  leave(code: number, reason: string): void {
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    this.#liveness?.stop();
    socket.close(code, reason);
  }

  #authenticate(): void {
    const { token, session } = this.#credentials;
    if (token) this.send(JSON.stringify({ type: '$auth', payload: { token } }));
    if (!session) return;
    this.request('$resume', session, ({ type, payload }) => {
      this.#resumption ??= type === '$reply' ? (payload as Resumption) : {};
      this.settle();
    });
  }

  #receive(text: string): void {
    this.#liveness?.received();
    let frame: ServerFrame | null;
    try {
      frame = JSON.parse(text) as ServerFrame | null;
    } catch {
      return;
    }
    // Another server may listen at this address.
    if (typeof frame?.type !== 'string') return;
    const onReply = this.#replies.get(frame.id);
    if (frame.type === '$hello') this.#receiveHello(frame.payload as Hello | null | undefined);
    else if (onReply) onReply(frame);
    else this.#events.onFrame(this, frame, text);
  }

  #receiveHello(hello: Hello | null | undefined): void {
    // `$hello` comes once and names at least the session.
    if (this.hello || !hello?.sessionId) return;
    this.hello = hello;
    this.#liveness = new Liveness(
      hello.heartbeat ?? null,
      this.#options,
      () => this.isOpen && this.send('{"type":"ping"}'),
      () => {
        this.leave(4000, SILENT);
        this.#end(1006, SILENT);
      },
    );
    // Requests wait until it is known whether the session is continued.
    if (!this.#credentials.session || this.isResumed || this.#resumption) this.settle();
  }

  #end(code: number, reason: string): void {
    this.#liveness?.stop();
    this.#events.onEnd(this, code, reason);
  }
}
