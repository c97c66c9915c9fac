import type { LoggerService } from '@nestjs/common';
import type { Identity } from '../../connections/connection.js';
import { authFailureOf } from './auth-failure.js';
import type { Handshake } from './handshake.js';
import { identityFault } from './identity-fault.js';
import { logLine } from '../../metrics/log-line.js';
import { LogPace } from '../../metrics/log-pace.js';
import type { TicketService } from './tickets.js';

/**
 * Returns the identity of a client; one without `userId` is anonymous. `null`, a 4xx `HttpException`, a `WsException` and
 * the errors of JWT libraries refuse the client; any other error counts as an outage, after which the client retries.
 */
export type Authenticate = (
  handshake: Handshake,
) => Identity<unknown> | null | undefined | Promise<Identity<unknown> | null | undefined>;

/**
 * `refused`: the token is not valid. The others are no decision about the client: `failed`, `authenticate` did not return
 * an identity; `unavailable`, it (or the ticket store, `of`) threw; `late`, it did not return in time.
 */
export type AuthResult =
  | { readonly outcome: 'accepted'; readonly identity: Identity }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'failed' }
  | {
      readonly outcome: 'unavailable';
      readonly of: 'authenticate' | 'tickets';
      /** False when it may be a fault of the app, such as an `authenticate` that expects every client to have a token. */
      readonly isOutage: boolean;
      readonly reason: string;
    }
  | { readonly outcome: 'late' };

const LATE = Symbol('late');
const MAX_REASON_LENGTH = 200;
const MAX_STACK_LENGTH = 4_000;
// An outage fails every handshake: one line stands for all of them.
const LOG_PACE = { burst: 1, intervalMs: 10_000 };

export interface AuthenticationSettings {
  readonly authenticate: Authenticate | undefined;
  /** How long `authenticate` may take. */
  readonly handshakeTimeoutMs: number;
}

export const AUTHENTICATION_DEFAULTS: AuthenticationSettings = {
  authenticate: undefined,
  handshakeTimeoutMs: 10_000,
};

/** Calls the app's `authenticate` and checks what it returns. */
export class Authentication {
  readonly #pace = new LogPace(LOG_PACE);

  constructor(
    private readonly settings: AuthenticationSettings,
    private readonly tickets: TicketService,
    private readonly logger: LoggerService,
  ) {}

  /** Whether the app has an `authenticate`. */
  get isRequired(): boolean {
    return this.settings.authenticate !== undefined;
  }

  /** With `needsUser` an identity without `userId` is refused as well. */
  async authenticate(handshake: Handshake, needsUser: boolean): Promise<AuthResult> {
    let identity: Identity<unknown> | null | undefined | typeof LATE;
    try {
      identity = await withinTimeout(this.#identify(handshake), this.settings.handshakeTimeoutMs);
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
    const reason = redacted(messageOf(error), handshake).slice(0, MAX_REASON_LENGTH);
    // An error of the ticket store is no decision about the client.
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
    const suppressed = this.#pace.next('authenticate');
    if (suppressed === undefined) return;
    const fields = { error, suppressed: suppressed || undefined };
    this.logger.error(logLine('authenticate failed; its clients are told to retry', fields), stack);
  }
}

/** The promise's value, or `LATE` when it takes longer. */
function withinTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(LATE), timeoutMs);
    timer.unref();
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function messageOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return String(error);
    // `fetch` names what has failed only in its cause.
    return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
  } catch {
    return 'an error whose message cannot be read';
  }
}

/** Some libraries put the token itself into their errors. */
function redacted(text: string, { token, ticket }: Handshake): string {
  let message = text;
  for (const secret of [token, ticket]) if (secret) message = message.replaceAll(secret, '[secret]');
  return message;
}
