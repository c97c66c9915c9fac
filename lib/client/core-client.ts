import type {
  AnyContract,
  ClientPayload,
  ClientReply,
  ClientType,
  ServerPayload,
  ServerType,
} from '../contract/contract-types.js';
import type { WireError } from '../protocol/envelope.js';
import { PendingRequests } from './pending-requests.js';
import {
  resolveClientOptions,
  type Address,
  type RealtimeClientOptions,
  type ResolvedClientOptions,
} from './client.options.js';
import { CORE_PARTS, type ClientParts } from './client-parts.js';
import type { ConnectionState } from './connection-state.js';
import type { ClientConnection, ServerFrame } from './client-connection.js';
import { Listeners } from './listeners.js';
import { Messages } from './messages.js';
import { SendQueue } from './send-queue.js';
import { ClosedError, requestErrorOf, type RequestError } from './request-error.js';
import { request } from './request.js';
import type { PayloadArguments, RequestOptions, SendOptions, SendOutcome, Unsent } from './send.options.js';
import { Session, type SessionEvents } from './session.js';

// No message has such a type: those with a dollar never come this far.
const STATE = '$state';
const ERROR = '$error';
const UNSENT = '$unsent';

/**
 * The smallest client, for a page that counts its bytes: `RealtimeClient` without answers to the server's requests, streams,
 * async iteration, token renewal over the connection, seamless handovers and the check that payloads are JSON.
 */
export class CoreClient<C extends AnyContract = AnyContract> {
  protected readonly options: ResolvedClientOptions;
  readonly #session: Session;
  readonly #sendQueue = new SendQueue();
  protected readonly requests: PendingRequests;
  readonly #messages: Messages;
  /** By the type of the message, or by what else there is to hear of. */
  protected readonly listeners: Listeners;

  /** Connects nothing yet, so it may be made anywhere: at module level, in a render, on a server. */
  constructor(address: Address, options: RealtimeClientOptions = {}) {
    const parts = this.parts();
    const resolved = resolveClientOptions(options);
    const { clock, random } = resolved;
    this.options = resolved;
    this.listeners = new Listeners(clock);
    this.requests = new PendingRequests(`${random().toString(36).slice(2)}-`, this.#sendQueue, parts);
    this.#messages = new Messages(this.#sendQueue, clock, parts, (unsent) =>
      this.listeners.emit(UNSENT, unsent),
    );
    const events: SessionEvents = {
      onState: (state) => this.#changed(state),
      onLink: (connection) => this.#sendQueue.open(connection),
      onLeaving: (connection) => this.#sendQueue.shut(connection),
      onLost: (connection) => {
        this.#sendQueue.shut(connection);
        this.requests.lost(connection);
      },
      onFrame: (connection, frame) => {
        if (!this.requests.answer(frame)) this.receive(connection, frame);
      },
      isAwaited: (connection) => this.requests.isAwaited(connection),
      onError: (error) => this.listeners.emit(ERROR, error),
    };
    this.#session = new Session(address, resolved, events, parts);
  }

  /** What the client is doing now. */
  get state(): ConnectionState {
    return this.#session.state;
  }

  /**
   * Resolves when messages flow, however many attempts that takes; rejects with a `ClosedError` when the client closes
   * first. A closed client begins anew, as a new session.
   */
  connect(): Promise<void> {
    this.#session.start();
    const connected = new Promise<void>((resolve, reject) => {
      const settle = (state: ConnectionState) => {
        if (state.status === 'connected') resolve();
        else if (state.status === 'closed') reject(new ClosedError(state));
        else return;
        stop();
      };
      const stop = this.onStateChange(settle);
      settle(this.state);
    });
    // Who does not wait for it reads `state`: to them a closed client is no unhandled rejection.
    connected.catch(() => undefined);
    return connected;
  }

  /** Ends it until `connect()` is called: what waits is given up with `closed`. Once is enough, twice does nothing more. */
  close(): void {
    this.#session.close(1000, 'closed by the client');
  }

  /** Checks the connection now, for runtimes whose signals are not the web's, such as React Native's `AppState`. */
  wake(): void {
    this.#session.wake();
  }

  /** PendingRequests back for every message of a type; the returned function ends that. */
  on<T extends ServerType<C>>(type: T, tell: (payload: ServerPayload<C, T>) => void): () => void {
    this.use();
    return this.listeners.add(type, tell);
  }

  /** Sends a message that wants no answer. It never rejects for want of a connection: the outcome says what became of it. */
  send<T extends ClientType<C>>(
    type: T,
    ...[payload, options]: PayloadArguments<ClientPayload<C, T>, SendOptions>
  ): Promise<SendOutcome> {
    this.use();
    const whileAway = options?.whileAway ?? this.options.whileAway;
    const away = whileAway === 'drop' ? whileAway : whileAway.queue;
    return this.#messages.send(type, payload, this.#session.canSend ? 'now' : away);
  }

  /** Sends a message and waits for its one reply; rejects with a `RequestError`, or with the signal's reason. */
  request<T extends ClientType<C>>(
    type: T,
    ...[payload, options]: PayloadArguments<ClientPayload<C, T>, RequestOptions>
  ): Promise<ClientReply<C, T>> {
    this.use();
    const terms = { timeoutMs: this.options.requestTimeoutMs, retry: 'resumed', ...options } as const;
    const answer = request(this.requests, this.options.clock, type, payload, terms);
    return answer as Promise<ClientReply<C, T>>;
  }

  /** PendingRequests back after every change of `state`. */
  onStateChange(tell: (state: ConnectionState) => void): () => void {
    // One that an earlier listener has ended already is no state any more.
    return this.listeners.add(STATE, (state: ConnectionState) => state === this.state && tell(state));
  }

  /** PendingRequests back for errors that answer no request, such as a refused `send`. */
  onError(tell: (error: RequestError) => void): () => void {
    return this.listeners.add(ERROR, tell);
  }

  /** PendingRequests back for every `send` that was given up. */
  onUnsent(tell: (unsent: Unsent) => void): () => void {
    return this.listeners.add(UNSENT, tell);
  }

  protected parts(): ClientParts {
    return CORE_PARTS;
  }

  /** Connects an idle client, unless only `connect()` may. */
  protected use(): void {
    if (this.options.autoConnect && this.state.status === 'idle') this.#session.start();
  }

  #changed(state: ConnectionState): void {
    this.#sendQueue.isClosed = state.status === 'closed';
    if (this.#sendQueue.isClosed) {
      this.#sendQueue.clear();
      this.requests.clear();
    }
    this.listeners.emit(STATE, state);
  }

  /** Takes a frame that answers nothing. */
  protected receive(connection: ClientConnection, { type, id, payload }: ServerFrame): void {
    if (type === '$goaway') {
      this.#session.goAway(connection, (payload as { reconnectAfterMs?: unknown } | null)?.reconnectAfterMs);
    } else if (type === '$error' && id === undefined) {
      this.listeners.emit(ERROR, requestErrorOf(payload as WireError | null));
    } else if (type[0] !== '$') {
      this.listeners.emit(type, payload);
    }
  }
}
