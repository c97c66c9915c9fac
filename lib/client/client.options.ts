import { SUBPROTOCOL } from '../protocol/envelope.js';
import { scope, systemClock, type Clock, type WebSocketConstructor } from './environment.js';
import type { WhileAway } from './send.options.js';

/** Where to connect; a function is asked before every attempt. `/ws` is resolved against the page's address. */
export type Address = string | (() => string | Promise<string>);

/**
 * Why a token is asked for. `connect`: for an attempt. `expiring`: to renew the one in use over the connection. `refused`:
 * the server refused the last one, or it has expired; the same one again closes the client.
 */
export interface TokenRequest {
  readonly reason: 'connect' | 'expiring' | 'refused';
}

export type TokenSource = (request: TokenRequest) => Token | Promise<Token>;
type Token = string | null | undefined;

/** What `new RealtimeClient(url, options)` takes. */
export interface RealtimeClientOptions {
  /** Asked before every attempt and before the token expires; nothing returned connects without one, an `UnauthenticatedError` closes the client. @default none */
  readonly token?: TokenSource;
  /** Whether `on`, `send`, `request` and the like connect an idle client; with `false` only `connect()` does. @default true */
  readonly autoConnect?: boolean;
  /** The time from the start of an attempt (token included) until it is usable. @default 10_000 */
  readonly connectTimeoutMs?: number;
  /** The least that a retry waits, and the first step of the backoff (centrifuge-js). @default 500 */
  readonly minRetryMs?: number;
  /** The most that a retry waits, unless the server asks for more (centrifuge-js). @default 20_000 */
  readonly maxRetryMs?: number;
  /** After a live connection is lost, the first retry comes anywhere within this time, so that a restart is no stampede. @default 5_000 */
  readonly firstRetrySpreadMs?: number;
  /** How long a connection must have lived before its loss begins a new count of attempts. @default 30_000 */
  readonly stableAfterMs?: number;
  /** How long an answer to the probe may take that is sent when the machine wakes up or the network changes. @default 2_000 */
  readonly wakeTimeoutMs?: number;
  /** How long a request waits for its answer, time away included. @default 10_000 */
  readonly requestTimeoutMs?: number;
  /** What `send` does without a connection. @default { queue: { max: 100, ttlMs: 30_000 } } */
  readonly whileAway?: WhileAway;
  /** Messages or replies that wait for a slow `for await` before it fails with `OVERFLOW`. @default 1_000 */
  readonly maxBuffered?: number;
  /** What the client offers at the handshake. @default ['realtime.v1'] */
  readonly protocols?: readonly string[];
  /** @default globalThis.WebSocket */
  readonly WebSocket?: WebSocketConstructor;
  /** @default Date.now and the global timers */
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

/** Fills in the defaults; throws a sentence that names the fix when there is no WebSocket to use. */
export function resolveClientOptions(options: RealtimeClientOptions): ResolvedClientOptions {
  const resolved: Record<string, unknown> = { ...DEFAULTS, WebSocket: scope.WebSocket };
  for (const [name, value] of Object.entries(options)) resolved[name] = value ?? resolved[name];
  if (!resolved['WebSocket']) {
    throw new TypeError("No global WebSocket: pass the option WebSocket, such as that of 'ws'.");
  }
  return resolved as unknown as ResolvedClientOptions;
}
