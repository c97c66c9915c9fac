import type { Handover } from './handover.js';
import type { Encode } from './json.js';
import type { Positions } from './positions.js';
import type { Renewal } from './renewal.js';

/** What `RealtimeClient` adds to the core; a bundle of `CoreClient` leaves these parts out. */
export interface ClientParts {
  readonly encode: Encode;
  /** Renews the token over the connection; without it the server closes with 4401, and the client reconnects with a fresh token. */
  readonly Renewal?: typeof Renewal;
  /** Reads two connections after `$goaway`; without it the old connection is left as soon as the next one is usable. */
  readonly Handover?: typeof Handover;
  /** Offers positions in `$resume`; without it the server recovers nothing. */
  readonly Positions?: typeof Positions;
}

export const CORE_PARTS: ClientParts = {
  encode: (type, payload, rest) => JSON.stringify({ type, payload, ...rest }),
};
