import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { isRedisClient, type RedisConfiguration } from './redis-configuration.js';
import { RedisConnection } from './redis-connection.js';
import { refuseParameters } from './redis-url.js';

/** Bounds every command: without it, ioredis waits for ever for a server that does not reply. */
export const COMMAND_TIMEOUT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 5_000;
const MAX_RETRY_DELAY_MS = 1_000;
const MIN_RETRY_DELAY_MS = 50;

/**
 * Overrides of ioredis defaults that duplicate or lose commands. By default ioredis repeats commands whose reply was lost,
 * queues without bound while Redis is away, and resubscribes with one command that can exceed Redis' output limit.
 */
const REDIS_OPTIONS = {
  // A prefix would move the names to other slots and out of the ACL.
  keyPrefix: '',
  stringNumbers: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  // It delays only some commands, so that publications would overtake each other.
  enableAutoPipelining: false,
  maxRetriesPerRequest: null,
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: CONNECT_TIMEOUT_MS,
  // Time to wait for a clean disconnect before destroying the socket.
  disconnectTimeout: 200,
  keepAlive: 10_000,
  failoverDetector: true,
  lazyConnect: true,
  retryStrategy: fullJitter,
  // After an error of a demoted or loading server, looks for the master again.
  reconnectOnError: (error: Error) => /^(READONLY|LOADING|MASTERDOWN)/.test(error.message),
} satisfies RedisOptions;

/** Creates connections of our own, with our settings, from what the user gave. */
export class RedisClients {
  constructor(
    private readonly configuration: RedisConfiguration,
    private readonly onError: (error: Error) => void,
  ) {
    if (typeof configuration === 'string') refuseParameters(configuration, REDIS_OPTIONS);
  }

  /** The user's Cluster client, if one was given. */
  get givenCluster(): Cluster | undefined {
    const { configuration } = this;
    return isRedisClient(configuration) && configuration.isCluster
      ? (configuration as unknown as Cluster)
      : undefined;
  }

  /** Creates a connection to a standalone Redis or a Sentinel group, not connected yet. */
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

  /** Creates a cluster client, for commands with keys and to read the topology from any node. */
  cluster(given: Cluster): Cluster {
    const client = given.duplicate([], {
      ...given.options,
      // Its pipelines mix channels, and fail as a whole when one command is redirected.
      enableAutoPipelining: false,
      enableOfflineQueue: false,
      keyPrefix: '',
      lazyConnect: true,
      shardedSubscribers: false,
      clusterRetryStrategy: fullJitter,
      // ioredis' type is not assignable to itself under exactOptionalPropertyTypes.
      redisOptions: { ...given.options.redisOptions, ...REDIS_OPTIONS } as never,
    });
    client.on('error', this.onError);
    return client;
  }

  /** A factory for connections to single masters of a cluster. */
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
