import { SUBPROTOCOL } from '../protocol/envelope.js';
import { scope, systemClock, type Clock, type WebSocketConstructor } from './environment.js';
import type { WhileAway } from './send.options.js';

/** Where to connect; a function is called before every attempt. `/ws` is resolved against the page's address. */
export type Address = string | (() => string | Promise<string>);

/**
 * Why `token` is called. `connect`: for an attempt. `expiring`: to renew the token over the connection. `refused`: the server
 * refused the last token or its absence, or it has expired; the same result again closes the client.
 */
export interface TokenRequest {
  readonly reason: 'connect' | 'expiring' | 'refused';
}

export type TokenSource = (request: TokenRequest) => Token | Promise<Token>;
type Token = string | null | undefined;

/** What `new RealtimeClient(url, options)` takes. */
export interface RealtimeClientOptions {
  /** Called before every attempt and before the token expires. `null` connects without a token; throw an `UnauthenticatedError` to close the client. @default none */
  readonly token?: TokenSource;
  /** Whether `on`, `send`, `request` and the like connect an idle client; with `false` only `connect()` does. @default true */
  readonly autoConnect?: boolean;
  /** The time from the start of an attempt (token included) until it is usable. @default 10_000 */
  readonly connectTimeoutMs?: number;
  /** The shortest wait before a retry, and the first step of the back-off (as centrifuge-js). @default 500 */
  readonly minRetryMs?: number;
  /** The longest wait before a retry, unless the server advises more (as centrifuge-js). @default 20_000 */
  readonly maxRetryMs?: number;
  /** The first retry after a lost connection comes at a random time within this, so that clients do not all reconnect at once. @default 5_000 */
  readonly firstRetrySpreadMs?: number;
  /** How long a connection must last to reset the count of attempts. @default 30_000 */
  readonly stableAfterMs?: number;
  /** How long the reply to a probe may take when the machine wakes up or the network changes. @default 2_000 */
  readonly wakeTimeoutMs?: number;
  /** How long a request waits for its reply, time without a connection included. @default 10_000 */
  readonly requestTimeoutMs?: number;
  /** What `send` does without a connection. As many requests may wait too; 100 with `drop`. @default { queue: { max: 100, ttlMs: 30_000 } } */
  readonly whileAway?: WhileAway;
  /** Messages or replies that wait for a slow `for await` before it fails with `OVERFLOW`. @default 1_000 */
  readonly maxBuffered?: number;
  /** The subprotocols to offer. @default ['realtime.v1'] */
  readonly protocols?: readonly string[];
  /** The WebSocket class, such as that of `ws` in Node.js 20. @default globalThis.WebSocket */
  readonly WebSocket?: WebSocketConstructor;
  /** The time and the timers, for tests. @default Date.now and the global timers */
  readonly clock?: Clock;
  /** A number from 0 up to 1. @default Math.random */
  readonly random?: () => number;
}

export type ResolvedClientOptions = Required<Omit<RealtimeClientOptions, 'token'>> & {
  readonly token: TokenSource | undefined;
};

const DEFAULTS = {
  token: undefined,
  autoConnect: true,
  connectTimeoutMs: 10_000,
  minRetryMs: 500,
  maxRetryMs: 20_000,
  firstRetrySpreadMs: 5_000,
  stableAfterMs: 30_000,
  wakeTimeoutMs: 2_000,
  requestTimeoutMs: 10_000,
  whileAway: { queue: { max: 100, ttlMs: 30_000 } },
  maxBuffered: 1_000,
  protocols: [SUBPROTOCOL],
  clock: systemClock,
  random: Math.random,
} as const;

/** Fills in the defaults; throws when there is no WebSocket to use. */
export function resolveClientOptions(options: RealtimeClientOptions): ResolvedClientOptions {
  const resolved: Record<string, unknown> = { ...DEFAULTS, WebSocket: scope.WebSocket };
  for (const [name, value] of Object.entries(options)) resolved[name] = value ?? resolved[name];
  if (!resolved['WebSocket']) {
    throw new TypeError("No global WebSocket: pass the option WebSocket, such as that of 'ws'.");
  }
  return resolved as unknown as ResolvedClientOptions;
}
