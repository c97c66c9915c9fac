import type { Cluster, Redis } from 'ioredis';

/**
 * A Lua script, which Redis runs as one step. Its leading comments say what it is for, its KEYS, its ARGV and its result;
 * they are not sent. The text is sent each time: after a NOSCRIPT reply to its hash, later calls would overtake it.
 */
export class RedisScript {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text.replaceAll(/^\s*--.*\n|^\s*\n/gm, '');
  }

  /** Runs it; all keys have to be in one slot of a cluster. */
  run(
    client: Redis | Cluster,
    keys: readonly string[],
    parameters: readonly (string | Buffer)[],
  ): Promise<unknown> {
    return client.call('EVAL', [this.#text, keys.length, ...keys, ...parameters]);
  }
}
