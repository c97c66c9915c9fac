import type { Backplane } from './backplane/backplane.js';
import type { RedisConfiguration } from './backplane/redis/client/redis-configuration.js';
import { REDIS_NAMES_DEFAULTS } from './backplane/redis/client/redis-names.js';
import { checkRedisOption } from './backplane/redis/redis-option.js';
import { RECEIVE_QUEUE_DEFAULTS } from './connections/receive-queue.js';
import { SEND_QUEUE_DEFAULTS } from './connections/send-queue.js';
import { ADMISSION_DEFAULTS } from './gateway/admission/admission.js';
import { TRUST_PROXY_DEFAULT, type TrustProxy } from './gateway/admission/client-ip.js';
import { CONNECTION_LIMITS_DEFAULTS } from './gateway/admission/connection-limits.js';
import { HANDSHAKE_DEFAULTS, type HandshakeSettings } from './gateway/admission/handshake-queue.js';
import { isOrigin, ORIGIN_DEFAULTS, type Origins } from './gateway/admission/origin-policy.js';
import { COMPRESSION_DEFAULTS, type CompressionSettings } from './gateway/compression.js';
import { DRAIN_DEFAULTS, type DrainSettings } from './gateway/drain/drain-schedule.js';
import { AUTHENTICATION_DEFAULTS, type Authenticate } from './gateway/identity/authentication.js';
import type { TicketStore } from './gateway/identity/tickets.js';
import { AUTH_MESSAGES_DEFAULTS } from './gateway/lifecycle/auth-messages.js';
import { CONNECTION_LOG_DEFAULTS } from './gateway/lifecycle/connection-log.js';
import { FRAME_RECEIVER_DEFAULTS } from './gateway/lifecycle/frame-receiver.js';
import { HEARTBEAT_DEFAULTS, type HeartbeatSettings } from './gateway/lifecycle/heartbeat.js';
import { RATE_LIMIT_DEFAULTS, type RateLimitSettings } from './gateway/lifecycle/rate-limiter.js';
import { ACCEPTOR_DEFAULTS } from './gateway/websocket-acceptor.js';
import { IDEMPOTENCY_DEFAULTS, type IdempotencySettings } from './messages/idempotency-cache.js';
import { REPLY_STREAMS_DEFAULTS } from './messages/reply-streams.js';
import {
  checkOption,
  described,
  objectWith,
  orFalse,
  positiveInteger,
  refuseUnknownOption,
  switchedOnOrOff,
  type OptionRule,
} from './option-check.js';

/** The options of `RealtimeModule.forRoot()`; every option has a default that is safe in production, and off is `false`. */
export interface RealtimeOptions {
  // --- which clients may connect ---

  /** Returns the identity of a client; `null`, a 4xx or a token error refuses the client, any other error is an outage. @default every client is anonymous */
  readonly authenticate?: Authenticate;
  /** The cookie that may hold the token. @default false */
  readonly tokenCookie?: string | false;
  /** How long a client without a token in its handshake has to send `$auth`; `false` refuses it with 401. @default 5_000 */
  readonly authTimeoutMs?: number | false;
  /** How long `authenticate` may take, and after it `handleConnection` or `handleRefresh`. @default 10_000 */
  readonly handshakeTimeoutMs?: number;
  /** `http` refuses an upgrade with an HTTP status; `close` opens it and closes with a code, which browsers can see but which costs a socket. @default 'http' */
  readonly rejectWith?: 'http' | 'close';
  /** The pages that may connect: `same-host`, a list of origins, or a function. @default 'same-host' */
  readonly origins?: Origins;
  /** Whether clients that send no Origin, which browsers always do, may connect. @default true */
  readonly allowMissingOrigin?: boolean;
  /** The proxies whose X-Forwarded-For is used, as Express' `trust proxy`. @default false */
  readonly trustProxy?: TrustProxy;
  /** Connections of this node. @default 50_000 */
  readonly maxConnections?: number | false;
  /** Connections per IP, over all nodes with `redis`; behind a proxy it needs `trustProxy`. @default false */
  readonly maxConnectionsPerIp?: number | false;
  /** Connections per user, over all nodes with `redis`. @default false */
  readonly maxConnectionsPerUser?: number | false;
  /** Connections of this node that have not sent `$auth` yet. @default 1_000 */
  readonly maxUnauthenticated?: number | false;
  /** Such connections of one IP; behind a proxy it needs `trustProxy`. @default a fifth of maxUnauthenticated */
  readonly maxUnauthenticatedPerIp?: number | false;
  /** How many calls of `authenticate` run at a time, for upgrade requests and for `$auth`. @default { maxConcurrent: 200, maxPerSecond: false, maxWaiting: 5_000, maxWaitingPerIp: a fifth of maxWaiting, maxWaitMs: 5_000 } */
  readonly handshakes?: Partial<HandshakeSettings> | false;
  /** Where tickets are kept. @default Redis with `redis`, else this process */
  readonly ticketStore?: TicketStore;

  // --- what clients may send ---

  /** The largest frame a client may send; a larger one closes with 1009. @default 65_536 */
  readonly maxPayloadBytes?: number;
  /** The fragments one message may come in; more close with 1008. @default 64 */
  readonly maxFragments?: number;
  /** How deep the JSON of a frame may be nested. @default 32 */
  readonly maxJsonDepth?: number;
  /** How many keys the JSON of a frame may have. @default 4_096 */
  readonly maxJsonKeys?: number;
  /** Invalid messages in a row before the connection is closed with 4520. @default 20 */
  readonly maxProtocolErrors?: number;
  /** A token bucket per connection; above it `RATE_LIMITED`, then 4429. @default { messagesPerSecond: 1_000, burstMessages: 5_000, bytesPerSecond: 1_048_576, burstBytes: 8_388_608, maxRefusals: 100 } */
  readonly rateLimit?: Partial<RateLimitSettings> | false;
  /** How many messages of one connection are handled at a time; 1 keeps their order. @default 1 */
  readonly concurrency?: number;
  /** How many messages of one connection may wait before its socket is no longer read. @default 128 */
  readonly maxWaitingMessages?: number;
  /** Streamed replies of one connection that run at a time; more are refused with `RATE_LIMITED`. @default 32 */
  readonly maxStreams?: number;

  /** Replies kept for messages with a `key`, which count once when a client repeats them after a reconnect. @default { ttlMs: 120_000, maxAnswers: 100_000, maxBytes: 33_554_432 } */
  readonly idempotency?: Partial<IdempotencySettings> | false;

  // --- connections ---

  /** Protocol pings, and how long a connection may stay silent after one. @default { intervalMs: 25_000, timeoutMs: 10_000 } */
  readonly heartbeat?: Partial<HeartbeatSettings> | false;
  /** Bytes waiting for a client above which the oldest volatile messages are dropped. @default 131_072 */
  readonly highWaterMarkBytes?: number;
  /** Bytes waiting for a client above which it is closed with 4413 and reconnects. @default 1_048_576 */
  readonly maxQueueBytes?: number;
  /** permessage-deflate without context takeover; saves bandwidth, costs memory and time. @default false */
  readonly compression?: Partial<CompressionSettings> | false;
  /** How long a client may take to reply to a close frame. @default 5_000 */
  readonly closeTimeoutMs?: number;
  /** How `app.close()` closes connections; `false` closes all at once. @default { reconnectsPerSecond: 1_000, timeoutMs: 20_000 } */
  readonly drain?: Partial<DrainSettings> | false;
  /** A log line for each connect and disconnect. @default true */
  readonly logConnections?: boolean;

  // --- several nodes ---

  /** Connects the nodes of the app: a URL, ioredis options, a `Redis` or a `Cluster` (its settings are copied). @default one process */
  readonly redis?: RedisConfiguration | undefined;
  /** The prefix of every name in Redis, so that apps can share a server. @default 'realtime' */
  readonly redisPrefix?: string;
  /** Another connection between nodes, in place of `redis`. @default none */
  readonly backplane?: Backplane;
}

/** The options with every default filled in. */
export type ResolvedOptions = Required<Omit<RealtimeOptions, keyof Groups | Ports>> & {
  readonly [P in Ports]: RealtimeOptions[P] | undefined;
} & { readonly [G in keyof Groups]: Groups[G] | false };

/** Options that have no default. */
type Ports = 'authenticate' | 'ticketStore' | 'backplane' | 'redis';

/** Options that are a group of settings, or `false`. */
interface Groups {
  readonly handshakes: HandshakeSettings;
  readonly rateLimit: RateLimitSettings;
  readonly idempotency: IdempotencySettings;
  readonly heartbeat: HeartbeatSettings;
  readonly compression: CompressionSettings;
  readonly drain: DrainSettings;
}

const GROUPS: Groups = {
  handshakes: HANDSHAKE_DEFAULTS,
  rateLimit: RATE_LIMIT_DEFAULTS,
  idempotency: IDEMPOTENCY_DEFAULTS,
  heartbeat: HEARTBEAT_DEFAULTS,
  compression: COMPRESSION_DEFAULTS,
  drain: DRAIN_DEFAULTS,
};

/** Put together from the defaults that stand beside the settings of each part. */
const DEFAULTS: ResolvedOptions = {
  ...AUTHENTICATION_DEFAULTS,
  ...AUTH_MESSAGES_DEFAULTS,
  ...ADMISSION_DEFAULTS,
  ...ORIGIN_DEFAULTS,
  trustProxy: TRUST_PROXY_DEFAULT,
  ...CONNECTION_LIMITS_DEFAULTS,
  ticketStore: undefined,
  ...ACCEPTOR_DEFAULTS,
  ...FRAME_RECEIVER_DEFAULTS,
  ...RECEIVE_QUEUE_DEFAULTS,
  ...REPLY_STREAMS_DEFAULTS,
  ...SEND_QUEUE_DEFAULTS,
  ...CONNECTION_LOG_DEFAULTS,
  redis: undefined,
  ...REDIS_NAMES_DEFAULTS,
  backplane: undefined,
  ...GROUPS,
  // Off, although it has defaults for when it is on.
  compression: false,
};

/** Rules that do not follow from the default: a number takes a positive integer, a switch true or false. */
const RULES: { readonly [name: string]: OptionRule | undefined } = {
  authenticate: { expected: 'a function (handshake) => identity', accepts: isFunction },
  tokenCookie: orFalse({ expected: "a cookie's name", accepts: isCookieName }),
  authTimeoutMs: orFalse(positiveInteger),
  rejectWith: {
    expected: "'http' or 'close'",
    accepts: (value) => value === 'http' || value === 'close',
  },
  origins: {
    expected: "'same-host', a list like ['https://app.example.com'], a function or false",
    accepts: (value) =>
      value === false ||
      value === 'same-host' ||
      isFunction(value) ||
      (Array.isArray(value) && value.every(isOrigin)),
  },
  trustProxy: {
    expected: "true, false, a number of hops, a function, or addresses like 'loopback, 10.0.0.0/8'",
    accepts: (value) =>
      typeof value === 'boolean' ||
      positiveInteger.accepts(value) ||
      isFunction(value) ||
      (typeof value === 'string' ? [value] : Array.isArray(value) ? value : [undefined]).every(
        (part) => typeof part === 'string' && part !== '',
      ),
  },
  maxConnections: orFalse(positiveInteger),
  maxConnectionsPerIp: orFalse(positiveInteger),
  maxConnectionsPerUser: orFalse(positiveInteger),
  maxUnauthenticated: orFalse(positiveInteger),
  maxUnauthenticatedPerIp: orFalse(positiveInteger),
  'handshakes.maxWaitingPerIp': orFalse(positiveInteger),
  ticketStore: objectWith('put', 'take'),
  // Checked by `checkRedisOption`.
  redis: { expected: 'a Redis configuration', accepts: () => true },
  redisPrefix: {
    expected: 'a text without spaces and braces',
    accepts: (value) => typeof value === 'string' && /^[^\s{}]{1,128}$/.test(value),
  },
  backplane: objectWith('start', 'subscribe', 'unsubscribe', 'publish', 'stop'),
};

/** Fills in the defaults; throws a sentence that names the option and the fix. */
export function resolveOptions(options: RealtimeOptions): ResolvedOptions {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(
      `RealtimeModule expected an options object, got ${described(options)}: return one from useFactory, {} for the defaults.`,
    );
  }
  const resolved: Record<string, unknown> = { ...DEFAULTS };
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(DEFAULTS, name)) refuseUnknownOption(name, Object.keys(DEFAULTS));
    if (value === undefined) continue;
    const byDefault: unknown = DEFAULTS[name as keyof ResolvedOptions];
    if (Object.hasOwn(GROUPS, name)) resolved[name] = resolveGroup(name as keyof Groups, value);
    else {
      checkOption(name, value, RULES[name] ?? ruleOf(byDefault), byDefault);
      resolved[name] = value;
    }
  }
  if (options.maxUnauthenticatedPerIp === undefined) {
    resolved.maxUnauthenticatedPerIp = shareOf(resolved.maxUnauthenticated as number | false);
  }
  if (options.handshakes && options.handshakes.maxWaitingPerIp === undefined) {
    const handshakes = resolved.handshakes as HandshakeSettings;
    resolved.handshakes = { ...handshakes, maxWaitingPerIp: shareOf(handshakes.maxWaiting) };
  }
  return checkTogether(resolved as unknown as ResolvedOptions);
}

/** The share of a limit for one IP: many clients may share an address, but one address must not use up the limit. */
function shareOf(max: number | false): number | false {
  return max === false ? false : Math.ceil(max / 5);
}

function resolveGroup(name: keyof Groups, value: unknown): unknown {
  if (value === false) return false;
  const settings: Record<string, unknown> = { ...GROUPS[name] };
  checkOption(name, value, { expected: 'an object or false', accepts: isPlainObject }, undefined);
  for (const [key, setting] of Object.entries(value as object)) {
    const known = Object.keys(settings).map((each) => `${name}.${each}`);
    if (!Object.hasOwn(settings, key)) refuseUnknownOption(`${name}.${key}`, known);
    if (setting === undefined) continue;
    const byDefault = GROUPS[name][key as never] as unknown;
    const rule = RULES[`${name}.${key}`] ?? ruleOf(byDefault, true);
    checkOption(`${name}.${key}`, setting, rule, byDefault);
    settings[key] = setting;
  }
  return settings;
}

/** In a group `false` stands for a limit that is off. */
function ruleOf(byDefault: unknown, isInGroup = false): OptionRule {
  if (typeof byDefault === 'number') return positiveInteger;
  return isInGroup ? orFalse(positiveInteger) : switchedOnOrOff;
}

// `$hello` alone takes up to 2 KB when the user id is long.
const MIN_QUEUE_BYTES = 4_096;

function checkTogether(options: ResolvedOptions): ResolvedOptions {
  const { highWaterMarkBytes, maxPayloadBytes, maxQueueBytes, rateLimit } = options;
  if (highWaterMarkBytes > maxQueueBytes) {
    throw new RangeError(
      `RealtimeModule expected highWaterMarkBytes (${highWaterMarkBytes}) to be at most maxQueueBytes (${maxQueueBytes}): lower the first or raise the second.`,
    );
  }
  if (maxQueueBytes < MIN_QUEUE_BYTES) {
    throw new RangeError(
      `RealtimeModule expected maxQueueBytes (${maxQueueBytes}) to be at least ${MIN_QUEUE_BYTES}, the size that messages of the protocol need: raise it.`,
    );
  }
  if (rateLimit !== false && rateLimit.burstBytes < maxPayloadBytes) {
    throw new RangeError(
      `RealtimeModule expected rateLimit.burstBytes (${rateLimit.burstBytes}) to be at least maxPayloadBytes (${maxPayloadBytes}), since a frame above the burst is always refused: raise the first or lower the second.`,
    );
  }
  checkRedisOption(options.redis);
  return options;
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// RFC 6265 §4.1.1
function isCookieName(value: unknown): boolean {
  return typeof value === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(value);
}
