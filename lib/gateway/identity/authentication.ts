import type { LoggerService } from '@nestjs/common';
import type { Identity } from '../../connections/connection.js';
import { authFailureOf } from './auth-failure.js';
import type { Handshake } from './handshake.js';
import { identityFault } from './identity-fault.js';
import { logLine } from '../../metrics/log-line.js';
import type { TicketService } from './tickets.js';

/**
 * Says who a client is. `null`, a 4xx `HttpException`, a `WsException` and the errors of JWT libraries refuse the client;
 * any other error is an outage: the client is not let in, and is told to come back. An identity without `userId` lets it
 * in anonymously.
 */
export type Authenticate = (
  handshake: Handshake,
) => Identity<unknown> | null | undefined | Promise<Identity<unknown> | null | undefined>;

/**
 * `refused`: the client is to blame. The others say nothing about the client: `failed`, `authenticate` returned no
 * identity; `unavailable`, it (or the ticket store, `of`) threw; `late`, it did not answer in time.
 */
export type AuthResult =
  | { readonly outcome: 'accepted'; readonly identity: Identity }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'failed' }
  | {
      readonly outcome: 'unavailable';
      readonly of: 'authenticate' | 'tickets';
      /** False when it may as well be a fault of the app, as an `authenticate` that expects every client to have a token. */
      readonly isOutage: boolean;
      readonly reason: string;
    }
  | { readonly outcome: 'late' };

const LATE = Symbol('late');
const MAX_REASON_LENGTH = 200;
const MAX_STACK_LENGTH = 4_000;
// An outage fails every handshake: one line in this time says so for all of them.
const LOG_INTERVAL_MS = 10_000;

export interface AuthenticationSettings {
  readonly authenticate: Authenticate | undefined;
  /** How long `authenticate` may take. */
  readonly handshakeTimeoutMs: number;
}

/** Asks the app who a client is and checks what it says. */
export class Authentication {
  #loggedAt = -Infinity;
  #unlogged = 0;

  constructor(
    private readonly settings: AuthenticationSettings,
    private readonly tickets: TicketService,
    private readonly logger: LoggerService,
  ) {}

  /** Whether clients have to say who they are. */
  get isRequired(): boolean {
    return this.settings.authenticate !== undefined;
  }

  /** With `needsUser` an identity without `userId` is refused as well. */
  async judge(handshake: Handshake, needsUser: boolean): Promise<AuthResult> {
    let identity: Identity<unknown> | null | undefined | typeof LATE;
    try {
      identity = await withinTime(this.#identify(handshake), this.settings.handshakeTimeoutMs);
    } catch (error) {
      return this.#thrown(error, handshake);
    }
    if (identity === LATE) return { outcome: 'late' };
    if (identity === null || identity === undefined) {
      return { outcome: 'refused', reason: 'authenticate returned nothing' };
    }
    const fault = identityFault(identity);
    if (fault !== undefined) {
      this.#log(fault);
      return { outcome: 'failed' };
    }
    if (identity.expiresAt !== undefined && identity.expiresAt <= Date.now()) {
      return { outcome: 'refused', reason: 'the token has expired' };
    }
    if (needsUser && identity.userId === undefined) {
      return {
        outcome: 'refused',
        reason: 'the path is for authenticated clients, and the identity has no userId',
      };
    }
    return { outcome: 'accepted', identity: identity as Identity };
  }

  async #identify(handshake: Handshake): Promise<Identity<unknown> | null | undefined> {
    if (handshake.ticket !== undefined) return this.tickets.consume(handshake.ticket);
    return this.settings.authenticate?.(handshake);
  }

  #thrown(error: unknown, handshake: Handshake): AuthResult {
    const reason = redacted(wordsOf(error), handshake).slice(0, MAX_REASON_LENGTH);
    // Of a ticket only its store was asked, and a store that throws says nothing about the client.
    if (handshake.ticket !== undefined) {
      return { outcome: 'unavailable', of: 'tickets', isOutage: true, reason };
    }
    const failure = authFailureOf(error);
    if (failure === 'refused') return { outcome: 'refused', reason };
    const stack = error instanceof Error ? error.stack : undefined;
    this.#log(reason, stack && redacted(stack, handshake).slice(0, MAX_STACK_LENGTH));
    return { outcome: 'unavailable', of: 'authenticate', isOutage: failure === 'outage', reason };
  }

  #log(error: string, stack?: string): void {
    const now = performance.now();
    if (now - this.#loggedAt < LOG_INTERVAL_MS) {
      this.#unlogged++;
      return;
    }
    const unsaid = this.#unlogged || undefined;
    this.#loggedAt = now;
    this.#unlogged = 0;
    this.logger.error(
      logLine('authenticate failed; its clients are told to come back', { error, unsaid }),
      stack,
    );
  }
}

/** The promise's value, or `LATE` when it takes longer. */
function withinTime<T>(promise: Promise<T>, timeoutMs: number): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(LATE), timeoutMs);
    timer.unref();
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function wordsOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return String(error);
    // `fetch` says only in its cause what has failed.
    return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
  } catch {
    return 'an error whose message cannot be read';
  }
}

/** Some libraries put the token itself into their errors. */
function redacted(text: string, { token, ticket }: Handshake): string {
  let words = text;
  for (const secret of [token, ticket]) if (secret) words = words.replaceAll(secret, '[secret]');
  return words;
}
