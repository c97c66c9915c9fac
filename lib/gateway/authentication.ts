import type { Identity } from '../connections/connection.js';
import type { Handshake } from './handshake.js';

/** Says who a client is; `null` (or a throw) refuses it, an identity without `userId` lets it in anonymously. */
export type Authenticate = (
  handshake: Handshake,
) => Identity<unknown> | null | undefined | Promise<Identity<unknown> | null | undefined>;

/** `refused` is the client's doing; `failed` means that `authenticate` broke its own promise. */
export type Verdict =
  | { readonly outcome: 'accepted'; readonly identity: Identity }
  | { readonly outcome: 'refused'; readonly reason: unknown }
  | { readonly outcome: 'failed'; readonly reason: Error };

const ANONYMOUS: Verdict = { outcome: 'accepted', identity: {} };
const MAX_USER_ID_LENGTH = 256;

/** Asks the app who a client is and checks what it says. */
export class Authentication {
  constructor(private readonly authenticate: Authenticate | undefined) {}

  /** Whether clients have to say who they are. */
  get isRequired(): boolean {
    return this.authenticate !== undefined;
  }

  async judge(handshake: Handshake): Promise<Verdict> {
    if (this.authenticate === undefined) return ANONYMOUS;
    let identity: Identity<unknown> | null | undefined;
    try {
      identity = await this.authenticate(handshake);
    } catch (reason) {
      return { outcome: 'refused', reason };
    }
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
}

function faultOf(identity: Identity<unknown>): string | undefined {
  if (typeof identity !== 'object') {
    return `Expected authenticate to return { userId, … } or null, got ${typeof identity}.`;
  }
  const { userId, expiresAt } = identity;
  if (userId !== undefined && (typeof userId !== 'string' || userId === '' || userId.length > MAX_USER_ID_LENGTH)) {
    return `Expected the userId of authenticate to be a string of 1 to ${MAX_USER_ID_LENGTH} characters, got ${typeof userId}: convert it.`;
  }
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
    return 'Expected the expiresAt of authenticate to be milliseconds since the epoch: multiply a JWT `exp` by 1000.';
  }
  return undefined;
}
