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
import { sendMessage } from './message.js';
import { SendQueue } from './send-queue.js';
import { ClosedError, requestErrorOf, type RequestError } from './request-error.js';
import { request } from './request.js';
import type {
  PayloadArguments,
  QueueLimits,
  RequestOptions,
  SendOptions,
  SendOutcome,
  Unsent,
  WhileAway,
} from './send.options.js';
import { Session } from './session.js';

// Names of listeners that no message type can have.
const STATE = '$state';
const ERROR = '$error';
const UNSENT = '$unsent';

/** Handles one type of protocol message: `$…` or `pong`. */
export type MessageHandler = (frame: ServerFrame, connection: ClientConnection) => void;

/**
 * The smallest client: `RealtimeClient` without requests of the server, streams, async iteration, token renewal over the
 * connection, seamless handovers, recovery and the check that payloads are JSON.
 */
export class CoreClient<C extends AnyContract = AnyContract> {
  protected readonly options: ResolvedClientOptions;
  readonly #session: Session;
  readonly #sendQueue: SendQueue;
  protected readonly requests: PendingRequests;
  /** By message type, or by the names above. */
  protected readonly listeners: Listeners;
  /** By type; a `$…` message without a handler is ignored. */
  protected readonly handlers: Map<string, MessageHandler>;

  /** Does not connect, so it may be created anywhere: at module level, in a render, on a server. */
  constructor(address: Address, options: RealtimeClientOptions = {}) {
    const parts = this.parts();
    const resolved = resolveClientOptions(options);
    const { clock, random, whileAway } = resolved;
    this.options = resolved;
    this.listeners = new Listeners(clock);
    const maxRequests = 100;
    this.#sendQueue = new SendQueue(limitsOf(whileAway)?.max ?? maxRequests);
    this.requests = new PendingRequests(`${random().toString(36).slice(2)}-`, this.#sendQueue, parts.encode);
    this.#session = new Session(address, resolved, parts, this.#sendQueue, this.requests, {
      onState: (state) => this.#changed(state),
      onFrame: (connection, frame) => this.#receive(connection, frame),
      onError: (error) => this.listeners.emit(ERROR, error),
    });
    this.handlers = new Map<string, MessageHandler>([
      [
        '$goaway',
        ({ payload }, connection) =>
          this.#session.goAway(
            connection,
            (payload as { reconnectAfterMs?: unknown } | null)?.reconnectAfterMs,
          ),
      ],
      [
        '$error',
        ({ id, payload }) => {
          if (id === undefined) this.listeners.emit(ERROR, requestErrorOf(payload as WireError | null));
        },
      ],
      ['pong', () => {}],
    ]);
  }

  /** What the client is doing now. */
  get state(): ConnectionState {
    return this.#session.state;
  }

  /**
   * Resolves when the client is connected, however many attempts that takes; rejects with a `ClosedError` when it closes
   * first. A closed client begins a new session.
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
    // A caller that reads `state` in place of the promise gets no unhandled rejection.
    connected.catch(() => {});
    return connected;
  }

  /** Closes the connection until `connect()` is called; what waits is given up with `closed`. A second call does nothing. */
  close(): void {
    this.#session.close(1000, 'closed by the client');
  }

  /** Checks the connection now, for runtimes whose signals are not the web's, such as React Native's `AppState`. */
  wake(): void {
    this.#session.wake();
  }

  /** Calls `listener` for every message of a type; the returned function removes it. */
  on<T extends ServerType<C>>(type: T, listener: (payload: ServerPayload<C, T>) => void): () => void {
    this.use();
    return this.listeners.add(type, listener);
  }

  /** Sends a message without a reply. Resolves with the outcome; rejects only when JSON cannot carry the payload. */
  send<T extends ClientType<C>>(
    type: T,
    ...[payload, options]: PayloadArguments<ClientPayload<C, T>, SendOptions>
  ): Promise<SendOutcome> {
    this.use();
    const whileAway = options?.whileAway ?? this.options.whileAway;
    return new Promise((resolve) => {
      const text = this.parts().encode(type, payload);
      const settle = (outcome: SendOutcome) => {
        if (outcome !== 'sent') this.listeners.emit(UNSENT, { type, payload, reason: outcome });
        resolve(outcome);
      };
      const canSend = this.#sendQueue.isOpen;
      const limits = limitsOf(whileAway);
      if (!canSend && !limits) return settle('dropped');
      sendMessage(this.#sendQueue, this.options.clock, text, canSend ? undefined : limits, settle);
    });
  }

  /** Sends a message and waits for its one reply; rejects with a `RequestError`, or with the signal's reason. */
  request<T extends ClientType<C>>(
    type: T,
    ...[payload, options]: PayloadArguments<ClientPayload<C, T>, RequestOptions>
  ): Promise<ClientReply<C, T>> {
    this.use();
    const { signal, timeoutMs = this.options.requestTimeoutMs, retry = 'resumed' } = options ?? {};
    const reply = request(this.requests, this.options.clock, type, payload, { signal, timeoutMs, retry });
    return reply as Promise<ClientReply<C, T>>;
  }

  /** Calls `listener` after every change of `state`; the returned function removes it. */
  onStateChange(listener: (state: ConnectionState) => void): () => void {
    // Skips a state that an earlier listener has ended already.
    return this.listeners.add(STATE, (state: ConnectionState) => state === this.state && listener(state));
  }

  /** Calls `listener` for errors that belong to no request, such as a refused `send`. */
  onError(listener: (error: RequestError) => void): () => void {
    return this.listeners.add(ERROR, listener);
  }

  /** Calls `listener` for every `send` that was given up. */
  onUnsent(listener: (unsent: Unsent) => void): () => void {
    return this.listeners.add(UNSENT, listener);
  }

  protected parts(): ClientParts {
    return CORE_PARTS;
  }

  /** Connects an idle client, unless `autoConnect` is `false`. */
  protected use(): void {
    if (this.options.autoConnect && this.state.status === 'idle') this.#session.start();
  }

  /** Delivers a message of the application. */
  protected deliver({ type, payload }: ServerFrame): void {
    this.listeners.emit(type, payload);
  }

  #receive(connection: ClientConnection, frame: ServerFrame): void {
    if (this.requests.receive(frame)) return;
    const handler = this.handlers.get(frame.type);
    if (handler) handler(frame, connection);
    else if (frame.type[0] !== '$') this.deliver(frame);
  }

  #changed(state: ConnectionState): void {
    const isClosed = state.status === 'closed';
    this.#sendQueue.isClosed = isClosed;
    if (isClosed) {
      this.#sendQueue.clear();
      this.requests.clear();
    }
    this.listeners.emit(STATE, state);
  }
}

function limitsOf(whileAway: WhileAway): QueueLimits | undefined {
  return whileAway === 'drop' ? undefined : whileAway.queue;
}
