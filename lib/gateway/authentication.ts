import type { Identity } from '../connections/connection.js';
import type { Handshake } from './handshake.js';
import type { TicketService } from './tickets.js';

/** Says who a client is; `null` (or a throw) refuses it, an identity without `userId` lets it in anonymously. */
export type Authenticate = (
  handshake: Handshake,
) => Identity<unknown> | null | undefined | Promise<Identity<unknown> | null | undefined>;

/**
 * `refused` is the client's doing; `failed` means that `authenticate` broke its own promise; `late` that it hangs;
 * `unavailable` that the tickets are out of reach.
 */
export type Verdict =
  | { readonly outcome: 'accepted'; readonly identity: Identity }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'failed'; readonly reason: Error }
  | { readonly outcome: 'unavailable'; readonly reason: string }
  | { readonly outcome: 'late' };

const ANONYMOUS: Identity<unknown> = {};
const LATE = Symbol('late');
const MAX_USER_ID_LENGTH = 256;
const MAX_REASON_LENGTH = 200;

/** Asks the app who a client is and checks what it says. */
export class Authentication {
  constructor(
    private readonly authenticate: Authenticate | undefined,
    private readonly tickets: TicketService,
    private readonly timeoutMs: number,
  ) {}

  /** Whether clients have to say who they are. */
  get isRequired(): boolean {
    return this.authenticate !== undefined;
  }

  async judge(handshake: Handshake): Promise<Verdict> {
    let identity: Identity<unknown> | null | undefined | typeof LATE;
    try {
      identity = await withinTime(this.#identify(handshake), this.timeoutMs);
    } catch (error) {
      // Of a ticket only its store was asked, and a store that throws says nothing about the client.
      const outcome = handshake.ticket === undefined ? 'refused' : 'unavailable';
      return { outcome, reason: wordsOf(error, handshake) };
    }
    if (identity === LATE) return { outcome: 'late' };
    if (identity === null || identity === undefined) {
      return { outcome: 'refused', reason: 'authenticate returned nothing' };
    }
    const fault = faultOf(identity);
    if (fault !== undefined) return { outcome: 'failed', reason: new Error(fault) };
    if (identity.expiresAt !== undefined && identity.expiresAt <= Date.now()) {
      return { outcome: 'refused', reason: 'the token has expired' };
    }
    return { outcome: 'accepted', identity: identity as Identity };
  }

  async #identify(handshake: Handshake): Promise<Identity<unknown> | null | undefined> {
    if (handshake.ticket !== undefined) return this.tickets.consume(handshake.ticket);
    return this.authenticate === undefined ? ANONYMOUS : this.authenticate(handshake);
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

/** What an operator may read of it: some libraries put the token itself into their errors. */
function wordsOf(error: unknown, { token, ticket }: Handshake): string {
  let words = error instanceof Error ? error.message : String(error);
  for (const secret of [token, ticket]) if (secret) words = words.replaceAll(secret, '[secret]');
  return words.slice(0, MAX_REASON_LENGTH);
}

function faultOf(identity: Identity<unknown>): string | undefined {
  if (typeof identity !== 'object' || Array.isArray(identity)) {
    const got = Array.isArray(identity) ? 'an array' : typeof identity;
    return `Expected authenticate to return { userId, … } or null, got ${got}.`;
  }
  const { userId, expiresAt } = identity;
  if (
    userId !== undefined &&
    (typeof userId !== 'string' || userId === '' || userId.length > MAX_USER_ID_LENGTH)
  ) {
    return `Expected the userId of authenticate to be a string of 1 to ${MAX_USER_ID_LENGTH} characters, got ${typeof userId}: convert it.`;
  }
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
    return 'Expected the expiresAt of authenticate to be milliseconds since the epoch: multiply a JWT `exp` by 1000.';
  }
  return undefined;
}
