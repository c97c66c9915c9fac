import { shouldReconnect, type CloseCode } from '../protocol/close-codes.js';
import { Backoff } from './backoff.js';
import type { ResolvedClientOptions, Address } from './client.options.js';
import type { ConnectionState } from './connection-state.js';
import { LONGEST_MS, resolveUrl } from './environment.js';
import type { ClientParts } from './client-parts.js';
import type { Handover } from './handover.js';
import {
  ClientConnection,
  type Credentials,
  type ClientConnectionEvents,
  type ServerFrame,
  type KnownSession,
} from './client-connection.js';
import type { PendingRequests } from './pending-requests.js';
import type { Renewal } from './renewal.js';
import { UnauthenticatedError, type RequestError } from './request-error.js';
import type { SendQueue } from './send-queue.js';
import { watchWakeSignals } from './wake-signals.js';

export interface SessionEvents {
  onState(state: ConnectionState): void;
  onFrame(connection: ClientConnection, frame: ServerFrame): void;
  /** A renewal of the token failed. */
  onError(error: RequestError): void;
}

// Typed by the table of codes, which itself stays out of the bundle.
const UNAUTHENTICATED: typeof CloseCode.UNAUTHENTICATED = 4401;
const AUTH_TIMEOUT: typeof CloseCode.AUTH_TIMEOUT = 4408;
const NO_CLOSE_FRAME = 1006;

/** Keeps one connection open across restarts, lost networks and sleep, and reports its state. */
export class Session implements ClientConnectionEvents {
  state: ConnectionState = { status: 'idle' };
  /** The connection that messages are sent on. */
  connection: ClientConnection | undefined;
  #next: ClientConnection | undefined;
  #handover: Handover | undefined;
  #known: KnownSession | undefined;
  #usableAt!: number;
  #token: string | undefined;
  /** A fresh token is needed; `token` is one that was refused before `$hello`, or `undefined` for none. */
  #refused: { readonly token: string | null | undefined } | undefined;
  /** Ends the wait before an attempt, or the attempt; there is never both. */
  #timer: unknown;
  #retryAt: number | undefined;
  /** The time of the server's advice: no attempt is made before. */
  #notBefore!: number;
  /** How the last connection or attempt ended. */
  #end!: { readonly code: number; readonly reason: string };
  #stopSignals: (() => void) | undefined;
  readonly #backoff: Backoff;
  readonly #renewal: Renewal | undefined;
  readonly #parts: ClientParts;
  readonly #address: Address;
  readonly #options: ResolvedClientOptions;
  readonly #sendQueue: SendQueue;
  readonly #requests: PendingRequests;
  readonly #events: SessionEvents;

  constructor(
    address: Address,
    options: ResolvedClientOptions,
    parts: ClientParts,
    sendQueue: SendQueue,
    requests: PendingRequests,
    events: SessionEvents,
  ) {
    this.#parts = parts;
    this.#sendQueue = sendQueue;
    this.#requests = requests;
    this.#address = address;
    this.#options = options;
    this.#events = events;
    this.#backoff = new Backoff(options);
    this.#renewal = parts.Renewal && new parts.Renewal(options, events);
  }

  /** Begins when idle, or anew when closed. */
  start(): void {
    if (this.#stopSignals) return;
    this.#known = this.#refused = undefined;
    this.#notBefore = 0;
    this.#end = { code: 0, reason: '' };
    this.#stopSignals = watchWakeSignals(
      () => this.wake(),
      () => this.connection?.wake(),
    );
    this.#backoff.attempt = 1;
    this.#attempt();
  }

  /** Probes the connection, or brings the next attempt forward. */
  wake(): void {
    this.connection?.wake();
    if (this.#retryAt === undefined) return;
    const now = this.#now;
    const at = Math.max(now + this.#backoff.soon(), this.#notBefore);
    if (at < this.#retryAt) this.#schedule(at - now);
  }

  /** Ends the session; `start` begins another one. */
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

  /** The server is about to stop: opens the next connection at the advised time, while this one still works. */
  goAway(connection: ClientConnection, advice: unknown): void {
    if (connection !== this.connection || this.#timer !== undefined) return;
    const reconnectAfterMs = Math.min(Number(advice) || 0, LONGEST_MS);
    this.#backoff.attempt = 1;
    this.#notBefore = this.#now + reconnectAfterMs;
    this.#schedule(reconnectAfterMs);
  }

  onUsable(connection: ClientConnection): void {
    if (connection !== this.#next) return;
    const { connectionId, sessionId, userId, recovered } = connection.hello!;
    const old = this.connection;
    const handover = this.#handover;
    this.#disarm();
    this.#next = this.#refused = undefined;
    this.#notBefore = 0;
    this.#usableAt = this.#now;
    this.#setKnown(sessionId, connectionId);
    this.connection = connection;
    this.#renewal?.start(connection);
    this.#sendQueue.open(connection);
    if (!handover) old?.leave(1000, 'moved');
    this.#setState({ status: 'connected', connectionId, sessionId, userId, recovered });
    if (this.connection !== connection) return;
    // Lost requests come before those that waited for this connection.
    if (old && !handover) this.#requests.lost(old);
    this.#sendQueue.flush();
    if (old) handover?.begin();
  }

  onFrame(connection: ClientConnection, frame: ServerFrame, text: string): void {
    if (frame.type[0] === '$' || !this.#handover?.isRepeated(connection, text)) {
      this.#known?.positions.update?.(frame);
      this.#events.onFrame(connection, frame);
    }
    this.#handover?.check();
  }

  onEnd(connection: ClientConnection, code: number, reason: string): void {
    const isOld = connection === this.#handover?.old;
    if (isOld) this.#handover?.end();
    if (isOld && connection !== this.connection) return;
    this.#end = { code, reason };
    if (connection === this.#next) {
      this.#next = undefined;
      if (code === UNAUTHENTICATED || (code === AUTH_TIMEOUT && !this.#token)) {
        this.#refused = { token: this.#token };
      }
      return this.#retry(this.#backoff.afterFailure());
    }
    this.connection = undefined;
    this.#renewal?.stop();
    if (!isOld) this.#requests.lost(connection);
    // After `$goaway` the next attempt is scheduled already, unless the code is final.
    if (this.#timer !== undefined && shouldReconnect(code)) this.#setAway();
    else this.#retry(this.#backoff.afterLoss(this.#now - this.#usableAt));
  }

  #setKnown(sessionId: string, connectionId: string): void {
    const known = this.#known?.sessionId === sessionId ? this.#known : undefined;
    const { Positions } = this.#parts;
    const MAX_CONNECTION_IDS = 8;
    this.#known = {
      sessionId,
      connectionIds: [connectionId, ...(known?.connectionIds ?? [])].slice(0, MAX_CONNECTION_IDS),
      positions: known?.positions ?? (Positions ? new Positions() : {}),
    };
  }

  #attempt(): void {
    this.#arm(this.#options.connectTimeoutMs, () => this.#fail('no $hello in time'));
    // The results of this attempt are ignored once its timer was replaced.
    const timer = this.#timer;
    // The server refuses messages after the advised time.
    if (this.connection) this.#sendQueue.shut(this.connection);
    this.#setAway();
    this.#prepare().then(
      ([url, credentials]) => timer === this.#timer && this.#connect(url, credentials),
      (error: unknown) => {
        if (timer !== this.#timer) return;
        if (error instanceof UnauthenticatedError) this.close(UNAUTHENTICATED, error.message);
        else this.#fail(String(error));
      },
    );
  }

  async #prepare(): Promise<[string, Credentials]> {
    const address = this.#address;
    const source = this.#options.token;
    const refused = this.#refused;
    const url = await (typeof address === 'function' ? address() : address);
    const token = (await source?.({ reason: refused ? 'refused' : 'connect' })) || undefined;
    if (source && refused && token === refused.token) throw new UnauthenticatedError('the token was refused');
    return [url, { token, session: this.#known }];
  }

  #connect(url: string, credentials: Credentials): void {
    try {
      this.#token = credentials.token;
      this.#next = new ClientConnection(resolveUrl(url), credentials, this.#options, this);
      const { Handover } = this.#parts;
      this.#handover?.leave();
      if (this.connection && Handover)
        this.#handover = new Handover(this.connection, this.#options.clock, this.#requests);
    } catch (error) {
      // An invalid address, or one that this page may not use: another attempt would fail too.
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
    if (isRefused) this.#refused ??= { token: null };
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
      status: this.#known ? 'reconnecting' : 'connecting',
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
