import type { Backplane } from './backplane/backplane.js';
import type { Authenticate } from './gateway/authentication.js';

/** What `RealtimeModule.forRoot()` takes; every option has a default that is safe in production. */
export interface RealtimeOptions {
  /** Says who a client is; `null` or a throw refuses it. @default every client is anonymous */
  readonly authenticate?: Authenticate;
  /** The cookie that may hold the token. @default false */
  readonly tokenCookie?: string | false;
  /** How long a client without a token in its handshake has to say `$auth`; `false` refuses it with 401. @default 5_000 */
  readonly authTimeoutMs?: number | false;
  /** The largest frame a client may send; a larger one closes with 1009. @default 65_536 */
  readonly maxPayloadBytes?: number;
  /** How deep the JSON of a frame may be nested. @default 32 */
  readonly maxJsonDepth?: number;
  /** How many keys the JSON of a frame may have. @default 4_096 */
  readonly maxJsonKeys?: number;
  /** Frames in a row that are no messages before the connection is closed with 4520. @default 20 */
  readonly maxProtocolErrors?: number;
  /** How many messages of one connection are handled at a time; 1 keeps their order. @default 1 */
  readonly concurrency?: number;
  /** How many messages of one connection may wait before its socket is no longer read. @default 128 */
  readonly maxWaitingMessages?: number;
  /** Bytes waiting for a client above which volatile messages are dropped. @default 131_072 */
  readonly highWaterMarkBytes?: number;
  /** Bytes waiting for a client above which it is closed with 4413 to come back. @default 1_048_576 */
  readonly maxQueueBytes?: number;
  /** How long a client may take to answer a close frame. @default 5_000 */
  readonly closeTimeoutMs?: number;
  /** How long `app.close()` waits for connections to end before it cuts them. @default 10_000 */
  readonly drainTimeoutMs?: number;
  /** Carries messages between nodes. @default one process */
  readonly backplane?: Backplane;
}

export type ResolvedOptions = Required<Omit<RealtimeOptions, 'authenticate' | 'backplane'>> &
  Pick<RealtimeOptions, 'authenticate' | 'backplane'>;

const DEFAULTS: ResolvedOptions = {
  tokenCookie: false,
  authTimeoutMs: 5_000,
  maxPayloadBytes: 65_536,
  maxJsonDepth: 32,
  maxJsonKeys: 4_096,
  maxProtocolErrors: 20,
  concurrency: 1,
  maxWaitingMessages: 128,
  highWaterMarkBytes: 131_072,
  maxQueueBytes: 1_048_576,
  closeTimeoutMs: 5_000,
  drainTimeoutMs: 10_000,
};

const POSITIVE_INTEGERS = [
  'maxPayloadBytes',
  'maxJsonDepth',
  'maxJsonKeys',
  'maxProtocolErrors',
  'concurrency',
  'maxWaitingMessages',
  'highWaterMarkBytes',
  'maxQueueBytes',
  'closeTimeoutMs',
  'drainTimeoutMs',
] as const satisfies readonly (keyof ResolvedOptions)[];

const KNOWN: ReadonlySet<string> = new Set([...Object.keys(DEFAULTS), 'authenticate', 'backplane']);

/** Fills in the defaults; throws a sentence that names the option and the fix. */
export function resolveOptions(options: RealtimeOptions = {}): ResolvedOptions {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`RealtimeModule expected an options object, got ${options === null ? 'null' : typeof options}.`);
  }
  for (const name of Object.keys(options)) {
    if (!KNOWN.has(name)) {
      throw new TypeError(`RealtimeModule has no option "${name}": the options are ${[...KNOWN].join(', ')}.`);
    }
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  const resolved: ResolvedOptions = { ...DEFAULTS, ...Object.fromEntries(given) };
  for (const name of POSITIVE_INTEGERS) requirePositiveInteger(name, resolved[name]);
  if (resolved.authTimeoutMs !== false) requirePositiveInteger('authTimeoutMs', resolved.authTimeoutMs, ' or false');
  if (resolved.authenticate !== undefined && typeof resolved.authenticate !== 'function') {
    throw new TypeError('RealtimeModule expected the option authenticate to be a function (handshake) => identity.');
  }
  if (resolved.highWaterMarkBytes > resolved.maxQueueBytes) {
    throw new RangeError(
      `RealtimeModule expected highWaterMarkBytes (${resolved.highWaterMarkBytes}) to be at most maxQueueBytes (${resolved.maxQueueBytes}): lower the first or raise the second.`,
    );
  }
  return resolved;
}

function requirePositiveInteger(name: string, value: unknown, alternative = ''): void {
  if (Number.isInteger(value) && (value as number) > 0 && (value as number) <= 0x7fffffff) return;
  throw new RangeError(
    `RealtimeModule expected the option ${name} to be a positive integer${alternative}, got ${String(value)}.`,
  );
}
