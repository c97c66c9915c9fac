import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { isRedisClient, type RedisConfiguration } from './redis-configuration.js';
import { RedisConnection } from './redis-connection.js';
import { refuseParameters } from './redis-url.js';

/** Bounds every command: ioredis alone would hold one for ever while the other side says nothing. */
export const COMMAND_TIMEOUT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 5_000;
const MAX_RETRY_DELAY_MS = 1_000;
const MIN_RETRY_DELAY_MS = 50;

/**
 * Settings that do not lie. ioredis' own repeat commands whose reply was lost (so writes happen twice), queue without
 * bound while Redis is away, and resubscribe with one command that can exceed Redis' output limit and so never succeed.
 */
const REDIS_OPTIONS = {
  // The names are ours alone; a prefix of the user's would move them to other slots and out of their ACL.
  keyPrefix: '',
  stringNumbers: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  // It holds some commands back and not others: publications would overtake each other.
  enableAutoPipelining: false,
  maxRetriesPerRequest: null,
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: CONNECT_TIMEOUT_MS,
  // How long a socket may take to say goodbye before it is destroyed: a black hole never does.
  disconnectTimeout: 200,
  keepAlive: 10_000,
  failoverDetector: true,
  lazyConnect: true,
  retryStrategy: fullJitter,
  // A connection that still holds on to a demoted or loading server has to look for the master again.
  reconnectOnError: (error: Error) => /^(READONLY|LOADING|MASTERDOWN)/.test(error.message),
} satisfies RedisOptions;

/** Makes connections of our own, so that ours are the settings and ours to close. */
export class RedisClients {
  constructor(
    private readonly configuration: RedisConfiguration,
    private readonly onError: (error: Error) => void,
  ) {
    if (typeof configuration === 'string') refuseParameters(configuration, REDIS_OPTIONS);
  }

  /** The user's cluster, if that is what was given. */
  get givenCluster(): Cluster | undefined {
    const { configuration } = this;
    return isRedisClient(configuration) && configuration.isCluster
      ? (configuration as unknown as Cluster)
      : undefined;
  }

  /** A connection to a standalone Redis or a Sentinel group; it connects when told to. */
  async redis(): Promise<RedisConnection> {
    const { configuration } = this;
    if (isRedisClient(configuration)) {
      return this.#owned((configuration as unknown as Redis).duplicate(REDIS_OPTIONS));
    }
    const { Redis } = await importIoredis();
    return this.#owned(
      typeof configuration === 'string'
        ? new Redis(configuration, REDIS_OPTIONS)
        : new Redis({ ...(configuration as object), ...REDIS_OPTIONS }),
    );
  }

  /** A cluster client for commands with keys, and to ask any of its nodes. */
  cluster(given: Cluster): Cluster {
    const client = given.duplicate([], {
      ...given.options,
      // Its pipelines mix channels, and fail together when one of them is redirected.
      enableAutoPipelining: false,
      enableOfflineQueue: false,
      keyPrefix: '',
      lazyConnect: true,
      shardedSubscribers: false,
      clusterRetryStrategy: fullJitter,
      // ioredis' own type of this does not fit itself under exactOptionalPropertyTypes.
      redisOptions: { ...given.options.redisOptions, ...REDIS_OPTIONS } as never,
    });
    client.on('error', this.onError);
    return client;
  }

  /** Makes connections to single masters of a cluster. */
  async members(given: Cluster): Promise<(host: string, port: number) => RedisConnection> {
    const { Redis } = await importIoredis();
    const { redisOptions } = given.options;
    return (host, port) =>
      this.#owned(new Redis({ ...(redisOptions as object), ...REDIS_OPTIONS, host, port }));
  }

  #owned(client: Redis): RedisConnection {
    return new RedisConnection(client, this.onError);
  }
}

/** Full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015), so that nodes do not return in step. */
function fullJitter(attempt: number): number {
  const ceiling = Math.min(MAX_RETRY_DELAY_MS, MIN_RETRY_DELAY_MS * 2 ** Math.min(attempt, 16));
  return MIN_RETRY_DELAY_MS + Math.random() * (ceiling - MIN_RETRY_DELAY_MS);
}

async function importIoredis(): Promise<Pick<typeof import('ioredis'), 'Redis'>> {
  try {
    return await import('ioredis');
  } catch (cause) {
    throw new Error(
      'The option redis needs the package ioredis, version 5.9 or later: npm install ioredis.',
      { cause },
    );
  }
}
