import type { Handover } from './handover.js';
import type { Renewal } from './renewal.js';

/** What the whole client does beyond the core: parts that a page which counts its bytes goes without. */
export interface ClientParts {
  /** The text of a message; throws when JSON cannot carry its payload. */
  encode(type: string, payload: unknown, rest?: object): string;
  /** Renews the token over the connection; without it the server closes, and the client comes back with a fresh one. */
  readonly Renewal?: typeof Renewal;
  /** Two connections at once after `$goaway`, each message heard once; without it the old connection is left as soon as the next is there. */
  readonly Handover?: typeof Handover;
}

export const CORE_PARTS: ClientParts = {
  encode: (type, payload, rest) => JSON.stringify({ type, payload, ...rest }),
};
