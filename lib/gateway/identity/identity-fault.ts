import type { Identity } from '../../connections/connection.js';

const MAX_USER_ID_LENGTH = 256;
// As milliseconds a time in March 1973; as seconds it is in the year 5138.
const EARLIEST_MS = 100_000_000_000;

/** Why a value is not an identity, as a sentence that names the fix; `undefined` for an identity. */
export function identityFault(
  identity: unknown,
  source: 'authenticate' | 'the ticket' = 'authenticate',
): string | undefined {
  if (typeof identity !== 'object' || identity === null || Array.isArray(identity)) {
    const got = Array.isArray(identity) ? 'an array' : identity === null ? 'null' : typeof identity;
    return `Expected ${source === 'authenticate' ? 'authenticate to return { userId, … } or null' : 'an identity { userId, … } for the ticket'}, got ${got}.`;
  }
  const { userId, expiresAt } = identity as Identity<unknown>;
  if (
    userId !== undefined &&
    (typeof userId !== 'string' || userId === '' || userId.length > MAX_USER_ID_LENGTH)
  ) {
    return `Expected the userId of ${source} to be a string of 1 to ${MAX_USER_ID_LENGTH} characters, got ${typeof userId}: convert it.`;
  }
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
    return `Expected the expiresAt of ${source} to be milliseconds since the epoch: multiply a JWT \`exp\` by 1000.`;
  }
  if (expiresAt !== undefined && expiresAt < EARLIEST_MS) {
    return `Expected the expiresAt of ${source} to be milliseconds since the epoch, got ${expiresAt}, which are seconds: multiply a JWT \`exp\` by 1000.`;
  }
  return undefined;
}
