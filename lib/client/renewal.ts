import type { WireError } from '../protocol/envelope.js';
import { Backoff } from './backoff.js';
import type { ResolvedClientOptions, TokenRequest } from './client.options.js';
import type { ClientConnection, ServerFrame } from './client-connection.js';
import { RequestError, requestErrorOf, UnauthenticatedError } from './request-error.js';

/** Renews the token over the connection before it expires, so that the connection stays open. */
export class Renewal {
  #connection: ClientConnection | undefined;
  #expiresAt = 0;
  #reason: TokenRequest['reason'] = 'expiring';
  #timer: unknown;

  readonly #options: ResolvedClientOptions;
  readonly #backoff: Backoff;
  readonly #events: { onError(error: RequestError): void };

  constructor(options: ResolvedClientOptions, events: { onError(error: RequestError): void }) {
    this.#options = options;
    this.#backoff = new Backoff(options);
    this.#events = events;
  }

  /** Begins with `expiresInMs` of `$hello`. */
  start(connection: ClientConnection): void {
    this.stop();
    this.#connection = connection;
    this.#expiresAt = 0;
    this.#schedule(connection.hello?.expiresInMs);
  }

  stop(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = this.#connection = undefined;
  }

  #receive(connection: ClientConnection, { type, payload }: ServerFrame): void {
    if (connection !== this.#connection) return;
    if (type === '$reply') this.#schedule((payload as { expiresInMs?: unknown } | null)?.expiresInMs);
    else {
      const error = requestErrorOf(payload as WireError | null);
      this.#reason = error.code === 'UNAUTHENTICATED' ? 'refused' : 'expiring';
      this.#failed(error);
    }
  }

  #schedule(expiresInMs: unknown): void {
    const { token, clock, random, minRetryMs } = this.#options;
    const expiresAt = clock.now() + (expiresInMs as number);
    clock.clearTimeout(this.#timer);
    if (token === undefined || typeof expiresInMs !== 'number') return;
    // A token that lasts no longer than the one before would be renewed faster and faster.
    if (expiresAt < this.#expiresAt + minRetryMs) return this.#failed();
    this.#expiresAt = expiresAt;
    this.#backoff.attempt = 0;
    this.#reason = 'expiring';
    // Tokens that were issued together are renewed over a quarter of their life.
    this.#renewIn(Math.max(minRetryMs, expiresInMs * (0.6 + random() / 4)));
  }

  #renewIn(delayMs: number): void {
    this.#arm(delayMs, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    this.#arm(this.#options.connectTimeoutMs, () => this.#failed());
    // A token that arrives after this timer was replaced is too late.
    const timer = this.#timer;
    try {
      const token = await this.#options.token!({ reason: this.#reason });
      if (timer !== this.#timer) return;
      const connection = this.#connection;
      if (token && connection?.isOpen) {
        connection.request('$auth', { token }, (frame) => this.#receive(connection, frame));
      } else this.#failed();
    } catch (error) {
      if (timer !== this.#timer) return;
      // The user has signed out: the connection lasts as long as its token.
      if (error instanceof UnauthenticatedError) this.stop();
      else this.#failed(new RequestError('TOKEN', String(error)));
    }
  }

  /** Tries again while the old token lasts; after that the server closes, and the next attempt calls `token`. */
  #failed(error?: RequestError): void {
    this.#backoff.attempt++;
    const delayMs = this.#backoff.afterFailure();
    if (this.#options.clock.now() + delayMs < this.#expiresAt) this.#renewIn(delayMs);
    else this.#options.clock.clearTimeout(this.#timer);
    if (error !== undefined) this.#events.onError(error);
  }

  #arm(delayMs: number, act: () => void): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#timer = clock.setTimeout(act, delayMs);
  }
}
