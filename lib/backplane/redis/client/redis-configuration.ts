/** The option `redis`: a URL, ioredis options (also for Sentinel), or a client whose settings are copied. */
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

/** Whether it is a client, of ioredis or of a library with the same interface. */
export function isRedisClient(configuration: RedisConfiguration): configuration is RedisClient {
  return typeof configuration === 'object' && typeof (configuration as RedisClient).duplicate === 'function';
}
