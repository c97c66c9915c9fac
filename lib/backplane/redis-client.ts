import type { Cluster, Redis, RedisOptions } from 'ioredis';

/** What an app may give as `redis`: a URL, ioredis options (Sentinel's too), or a client whose settings are copied. */
export type RedisConfiguration = string | RedisSettings | RedisClient;

/** ioredis' options; see its documentation. */
export interface RedisSettings {
  readonly host?: string;
  readonly port?: number;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: object;
  readonly sentinels?: readonly { readonly host?: string; readonly port?: number }[];
  /** The name of the Sentinel group. */
  readonly name?: string;
  readonly [option: string]: unknown;
}

/** A `Redis` or `Cluster` of ioredis. */
export interface RedisClient {
  readonly status: string;
  readonly isCluster: boolean;
  duplicate(...parameters: never[]): unknown;
}

/** Bounds every command: ioredis alone would hold one for ever while the other side says nothing. */
export const COMMAND_TIMEOUT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 5_000;
const MAX_RETRY_DELAY_MS = 2_000;
const MIN_RETRY_DELAY_MS = 50;

/**
 * Settings that do not lie. ioredis' own repeat commands whose reply was lost (so writes happen twice), queue without
 * bound while Redis is away, and resubscribe with one command that can exceed Redis' output limit and so never succeed.
 */
const HONEST_OPTIONS = {
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  enableOfflineQueue: false,
  maxRetriesPerRequest: null,
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: CONNECT_TIMEOUT_MS,
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
  ) {}

  get isCluster(): boolean {
    return isClient(this.configuration) && this.configuration.isCluster;
  }

  /** A connection to a standalone Redis or a Sentinel group; it connects when told to. */
  async redis(overrides: { enableAutoPipelining?: boolean } = {}): Promise<Redis> {
    const options = { ...HONEST_OPTIONS, ...overrides };
    const { configuration } = this;
    if (isClient(configuration)) {
      return this.#owned((configuration as unknown as Redis).duplicate(options));
    }
    const { Redis } = await importIoredis();
    return this.#owned(
      typeof configuration === 'string'
        ? new Redis(configuration, options)
        : new Redis({ ...(configuration as object), ...options }),
    );
  }

  /** A cluster client for commands. */
  cluster(): Cluster {
    const given = this.configuration as unknown as Cluster;
    const { redisOptions } = given.options;
    const client = given.duplicate([], {
      ...given.options,
      enableOfflineQueue: false,
      enableAutoPipelining: true,
      lazyConnect: true,
      clusterRetryStrategy: fullJitter,
      // ioredis' own type of this does not fit itself under exactOptionalPropertyTypes.
      redisOptions: { ...redisOptions, ...HONEST_OPTIONS } as never,
    });
    return this.#owned(client);
  }

  /** A connection to one master of a cluster. */
  async member(host: string, port: number): Promise<Redis> {
    const { Redis } = await importIoredis();
    const { redisOptions } = (this.configuration as unknown as Cluster).options;
    return this.#owned(new Redis({ ...(redisOptions as object), ...HONEST_OPTIONS, host, port, retryStrategy: null }));
  }

  // Without a listener, an `error` event of ioredis is printed by it and forgotten.
  #owned<Client extends Redis | Cluster>(client: Client): Client {
    client.on('error', this.onError);
    return client;
  }
}

/** Connects, and resolves once the first attempt has ended either way: the client goes on trying by itself. */
export async function connect(client: Redis | Cluster, onError: (error: Error) => void): Promise<void> {
  try {
    await client.connect();
  } catch (error) {
    onError(error as Error);
  }
}

/** Full jitter (Brooker, "Exponential Backoff And Jitter", AWS 2015), so that nodes do not return in step. */
function fullJitter(attempt: number): number {
  const ceiling = Math.min(MAX_RETRY_DELAY_MS, MIN_RETRY_DELAY_MS * 2 ** Math.min(attempt, 16));
  return MIN_RETRY_DELAY_MS + Math.random() * (ceiling - MIN_RETRY_DELAY_MS);
}

function isClient(configuration: RedisConfiguration): configuration is RedisClient {
  return typeof configuration === 'object' && typeof (configuration as RedisClient).duplicate === 'function';
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
