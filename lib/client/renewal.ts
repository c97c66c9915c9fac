import type { WireError } from '../protocol/envelope.js';
import { Backoff } from './backoff.js';
import type { ResolvedClientOptions, TokenRequest } from './client.options.js';
import type { ClientConnection, ServerFrame } from './client-connection.js';
import { RequestError, requestErrorOf, UnauthenticatedError } from './request-error.js';

// Call ids begin with a random prefix, so this is never taken for one.
const AUTH_ID = 'auth';

/** Renews the token over the connection before it expires, so that its end is no gap. */
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

  /** Begins with what `$hello` said of the token. */
  start(connection: ClientConnection): void {
    this.stop();
    this.#connection = connection;
    this.#expiresAt = 0;
    this.#expiresIn(connection.hello?.expiresInMs);
  }

  stop(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = this.#connection = undefined;
  }

  /** Takes the server's answer to `$auth`, and no other frame. */
  takes(connection: ClientConnection, { type, id, payload }: ServerFrame): boolean {
    if (id !== AUTH_ID || connection !== this.#connection) return false;
    if (type === '$reply') this.#expiresIn((payload as { expiresInMs?: unknown } | null)?.expiresInMs);
    else {
      const error = requestErrorOf(payload as WireError | null);
      this.#reason = error.code === 'UNAUTHENTICATED' ? 'refused' : 'expiring';
      this.#failed(error);
    }
    return true;
  }

  #expiresIn(lifeMs: unknown): void {
    const { token, clock, random, minRetryMs } = this.#options;
    const expiresAt = clock.now() + (lifeMs as number);
    clock.clearTimeout(this.#timer);
    if (token === undefined || typeof lifeMs !== 'number') return;
    // A token that lasts no longer than the one before would be renewed faster and faster.
    if (expiresAt < this.#expiresAt + minRetryMs) return this.#failed();
    this.#expiresAt = expiresAt;
    this.#backoff.attempt = 0;
    this.#reason = 'expiring';
    // Tokens that were given out together are renewed over a quarter of their life.
    this.#renewIn(Math.max(minRetryMs, lifeMs * (0.6 + random() / 4)));
  }

  #renewIn(delayMs: number): void {
    this.#arm(delayMs, () => void this.#renew());
  }

  async #renew(): Promise<void> {
    this.#arm(this.#options.connectTimeoutMs, () => this.#failed());
    // What comes once this timer is no longer the one that runs comes too late.
    const timer = this.#timer;
    try {
      const token = await this.#options.token!({ reason: this.#reason });
      if (timer !== this.#timer) return;
      if (token && this.#connection?.isOpen) {
        this.#connection.send(JSON.stringify({ type: '$auth', id: AUTH_ID, payload: { token } }));
      } else this.#failed();
    } catch (error) {
      if (timer !== this.#timer) return;
      // Nobody to renew it for: the connection lasts as long as the token it has.
      if (error instanceof UnauthenticatedError) this.stop();
      else this.#failed(new RequestError('TOKEN', String(error)));
    }
  }

  /** Tries again while the old token lasts; after that the server closes, and the next attempt asks anew. */
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
