import { shouldReconnect, type CloseCode } from '../protocol/close-codes.js';
import { Backoff } from './backoff.js';
import type { ResolvedClientOptions, Address } from './client.options.js';
import type { ConnectionState } from './connection-state.js';
import { resolveUrl } from './environment.js';
import type { ClientParts } from './client-parts.js';
import type { Handover } from './handover.js';
import {
  ClientConnection,
  type Credentials,
  type ClientConnectionEvents,
  type ServerFrame,
  type KnownSession,
} from './client-connection.js';
import type { Renewal } from './renewal.js';
import { UnauthenticatedError, type RequestError } from './request-error.js';
import { watchWakeSignals } from './wake-signals.js';

export interface SessionEvents {
  onState(state: ConnectionState): void;
  /** A connection can be used, the first one or another in its place; the state says so already. */
  onLink(connection: ClientConnection): void;
  /** The connection is about to be left: nothing more should be sent on it. */
  onLeaving(connection: ClientConnection): void;
  /** What was sent on this connection and not answered will not be. */
  onLost(connection: ClientConnection): void;
  onFrame(connection: ClientConnection, frame: ServerFrame): void;
  /** Whether an answer is still to come on this connection. */
  isAwaited(connection: ClientConnection): boolean;
  /** The token could not be renewed this time. */
  onError(error: RequestError): void;
}

// Typed by the table of codes, which itself stays out of the bundle.
const UNAUTHENTICATED: typeof CloseCode.UNAUTHENTICATED = 4401;
const NO_CLOSE_FRAME = 1006;

/** Keeps one connection up across restarts, lost networks and sleep, and says truly how things stand. */
export class Session implements ClientConnectionEvents {
  state: ConnectionState = { status: 'idle' };
  /** The connection that messages go through. */
  connection: ClientConnection | undefined;
  #next: ClientConnection | undefined;
  #handover: Handover | undefined;
  #ticket: KnownSession | undefined;
  /** The connection that is about to be left: the server refuses messages on it. */
  #leaving: ClientConnection | undefined;
  #usableAt = 0;
  #token: string | undefined;
  /** A fresh token is needed; one that was refused before `$hello` would be refused again. */
  #refused: { readonly token?: string | undefined } | undefined;
  /** Ends the wait before an attempt, or the attempt; there is never both. */
  #timer: unknown;
  #retryAt: number | undefined;
  #notBefore = 0;
  #end = { code: 0, reason: '' };
  #stopSignals: (() => void) | undefined;
  readonly #backoff: Backoff;
  readonly #renewal: Renewal | undefined;
  readonly #parts: ClientParts;
  readonly #address: Address;
  readonly #options: ResolvedClientOptions;
  readonly #events: SessionEvents;

  constructor(address: Address, options: ResolvedClientOptions, events: SessionEvents, parts: ClientParts) {
    this.#parts = parts;
    this.#address = address;
    this.#options = options;
    this.#events = events;
    this.#backoff = new Backoff(options);
    this.#renewal = parts.Renewal && new parts.Renewal(options, events);
  }

  /** Whether what is sent now goes out. */
  get canSend(): boolean {
    return this.connection !== this.#leaving && this.connection?.isOpen === true;
  }

  /** Begins when idle, or anew when closed. */
  start(): void {
    if (this.#stopSignals) return;
    this.#ticket = this.#refused = undefined;
    this.#notBefore = 0;
    this.#end = { code: 0, reason: '' };
    this.#stopSignals = watchWakeSignals(
      () => this.wake(),
      () => this.connection?.wake(),
    );
    this.#backoff.attempt = 1;
    this.#attempt();
  }

  /** Looks whether the connection still lives, and does not wait out a retry that is due later. */
  wake(): void {
    this.connection?.wake();
    if (this.#retryAt === undefined) return;
    const now = this.#now;
    const at = Math.max(now + this.#backoff.soon(), this.#notBefore);
    if (at < this.#retryAt) this.#schedule(at - now);
  }

  /** Ends it until it is started anew. */
  close(code: number, reason: string): void {
    if (this.state.status === 'closed') return;
    this.#disarm();
    this.#stopSignals?.();
    this.#stopSignals = undefined;
    this.#renewal?.stop();
    this.#handover?.stop();
    for (const connection of [this.#handover?.old, this.#next, this.connection])
      connection?.leave(1000, 'closed');
    this.connection = this.#next = this.#handover = undefined;
    this.#setState({ status: 'closed', code, reason });
  }

  /** The server is about to go: the next connection is opened when it advises, while this one still works. */
  goAway(connection: ClientConnection, advice: unknown): void {
    if (connection !== this.connection || this.#timer !== undefined) return;
    const reconnectAfterMs = Number(advice) || 0;
    this.#backoff.attempt = 1;
    this.#notBefore = this.#now + reconnectAfterMs;
    this.#schedule(reconnectAfterMs);
  }

  onUsable(connection: ClientConnection): void {
    const { connectionId, sessionId, userId, recovered } = connection.hello!;
    const old = this.connection;
    this.#disarm();
    this.#next = this.#refused = undefined;
    this.#notBefore = 0;
    this.#usableAt = this.#now;
    this.#ticket = { sessionId, positions: {} };
    this.connection = connection;
    this.#renewal?.start(connection);
    if (!this.#handover) old?.leave(1000, 'moved');
    this.#setState({ status: 'connected', connectionId, sessionId, userId, recovered });
    if (this.connection !== connection) return;
    this.#events.onLink(connection);
    if (!old) return;
    if (this.#handover) this.#handover.begin();
    else this.#events.onLost(old);
  }

  onFrame(connection: ClientConnection, frame: ServerFrame, text: string): void {
    if (this.#renewal?.takes(connection, frame)) return;
    if (frame.type[0] === '$' || !this.#handover?.isRepeated(connection, text))
      this.#events.onFrame(connection, frame);
    this.#handover?.check();
  }

  onEnd(connection: ClientConnection, code: number, reason: string): void {
    const isOld = connection === this.#handover?.old;
    if (isOld) this.#handover?.end();
    if (isOld && connection !== this.connection) return;
    this.#end = { code, reason };
    if (connection === this.#next) {
      this.#next = undefined;
      if (code === UNAUTHENTICATED) this.#refused = { token: this.#token };
      return this.#retry(this.#backoff.afterFailure());
    }
    this.connection = undefined;
    this.#renewal?.stop();
    if (!isOld) this.#events.onLost(connection);
    // After `$goaway` the next attempt is under way already, unless the server wants no other.
    if (this.#timer !== undefined && shouldReconnect(code)) this.#setAway();
    else this.#retry(this.#backoff.afterLoss(this.#now - this.#usableAt));
  }

  #attempt(): void {
    this.#arm(this.#options.connectTimeoutMs, () => this.#fail('no $hello in time'));
    // What this attempt has begun is void once its timer is no longer the one that runs.
    const timer = this.#timer;
    // From its time on, the server that goes away refuses messages.
    this.#leaving = this.connection;
    if (this.connection) this.#events.onLeaving(this.connection);
    this.#setAway();
    this.#prepare().then(
      ([url, credentials]) => timer === this.#timer && this.#dial(url, credentials),
      (error: unknown) => {
        if (timer !== this.#timer) return;
        if (error instanceof UnauthenticatedError) this.close(UNAUTHENTICATED, error.message);
        else this.#fail(String(error));
      },
    );
  }

  async #prepare(): Promise<[string, Credentials]> {
    const address = this.#address;
    const url = await (typeof address === 'function' ? address() : address);
    const reason = this.#refused ? 'refused' : 'connect';
    const token = (await this.#options.token?.({ reason })) ?? undefined;
    if (token && token === this.#refused?.token) throw new UnauthenticatedError('the token was refused');
    return [url, { token, ticket: this.#ticket }];
  }

  #dial(url: string, credentials: Credentials): void {
    try {
      this.#token = credentials.token;
      this.#next = new ClientConnection(resolveUrl(url), credentials, this.#options, this);
      const { Handover } = this.#parts;
      this.#handover?.leave();
      if (this.connection && Handover)
        this.#handover = new Handover(this.connection, this.#options.clock, this.#events);
    } catch (error) {
      // An address that is no address, or one that this page may not use: it will not become better.
      this.close(NO_CLOSE_FRAME, String(error));
    }
  }

  #fail(reason: string): void {
    const connection = this.#next;
    if (connection?.settle()) return;
    this.#next = undefined;
    connection?.leave(1000, reason);
    this.#end = { code: NO_CLOSE_FRAME, reason };
    this.#retry(this.#backoff.afterFailure());
  }

  /** Decides what follows the end of an attempt or of a connection. */
  #retry(delayMs: number): void {
    const { code, reason } = this.#end;
    this.#disarm();
    if (!shouldReconnect(code)) return this.close(code, reason);
    const advice = this.#backoff.afterAdvice(reason);
    const isRefused = code === UNAUTHENTICATED;
    if (isRefused) this.#refused ??= {};
    const waitMs = advice ?? (isRefused ? this.#backoff.afterRefusal() : delayMs);
    this.#backoff.attempt++;
    this.#notBefore = advice === undefined ? 0 : this.#now + waitMs;
    this.#schedule(waitMs);
  }

  #schedule(delayMs: number): void {
    this.#arm(delayMs, () => this.#attempt());
    this.#retryAt = this.#now + delayMs;
    this.#setAway();
  }

  #arm(delayMs: number, act: () => void): void {
    this.#disarm();
    this.#timer = this.#options.clock.setTimeout(act, delayMs);
  }

  #disarm(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = this.#retryAt = undefined;
  }

  #setAway(): void {
    if (this.connection) return;
    const now = this.#now;
    const retryAt = this.#retryAt ?? now;
    this.#setState({
      status: this.#ticket ? 'reconnecting' : 'connecting',
      ...this.#end,
      attempt: this.#backoff.attempt,
      retryInMs: retryAt - now,
      retryAt,
    });
  }

  get #now(): number {
    return this.#options.clock.now();
  }

  #setState(state: ConnectionState): void {
    this.state = state;
    this.#events.onState(state);
  }
}
