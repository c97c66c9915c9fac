import { createHash } from 'node:crypto';
import type { Cluster, Redis } from 'ioredis';
import { BackplaneError } from '../../backplane-error.js';
import { COMMAND_TIMEOUT_MS, RedisClients } from './redis-client.js';
import type { RedisConfiguration } from './redis-configuration.js';
import { asBackplaneError, isAway, notAnswered } from './redis-error.js';
import { unlessAborted } from './with-timeout.js';

/** A Lua script, which Redis runs as one step. Its text says what it is for, its KEYS, its ARGV and its result. */
export class RedisScript {
  readonly sha1: string;

  constructor(readonly text: string) {
    this.sha1 = createHash('sha1').update(text).digest('hex');
  }
}

export interface RedisCommandEvents {
  failed(error: Error): void;
  /** Connected, for the first time or again: what Redis was told before may be gone. */
  ready(): void;
}

type Lost = (error: Error) => void;

// More than this are not answered yet: Redis is slow, and queueing would only hide it.
const MAX_IN_FLIGHT = 10_000;

/**
 * Runs commands in whatever kind of Redis there is, on a connection of its own, so that publications never wait behind
 * a script. Each ends within a bounded time: with Redis' answer, or with a `BackplaneError` that says what is known.
 */
export class RedisCommands {
  readonly #clients: RedisClients;
  readonly #inFlight = new Set<Lost>();
  #client: Redis | Cluster | undefined;
  #close: () => unknown = () => {};
  #answers = 0;
  #onIdle: (() => void) | undefined;
  readonly #stopping = new AbortController();

  constructor(
    configuration: RedisConfiguration,
    private readonly events: RedisCommandEvents,
  ) {
    this.#clients = new RedisClients(configuration, (error) => events.failed(error));
  }

  /** Resolves once the first attempt to connect has ended; Redis may be away. */
  async start(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const given = this.#clients.givenCluster;
    if (given === undefined) {
      const connection = await this.#clients.redis();
      if (this.#stopping.signal.aborted) return;
      this.#use(connection.client, () => connection.close());
      await connection.connect();
    } else {
      const cluster = this.#clients.cluster(given);
      this.#use(cluster, () => cluster.disconnect());
      const connected = cluster.connect().catch((error: Error) => this.events.failed(error));
      await unlessAborted(connected, this.#stopping.signal);
    }
  }

  /** Runs one command. */
  call(command: string, ...parameters: string[]): Promise<unknown> {
    return this.#bound((client) => client.call(command, parameters));
  }

  /** Runs a script; its text travels only when Redis does not know it. */
  run(script: RedisScript, keys: readonly string[], parameters: readonly string[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...parameters];
    return this.#bound(async (client) => {
      try {
        return await client.call('EVALSHA', [script.sha1, ...rest]);
      } catch (error) {
        if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
        return client.call('EVAL', [script.text, ...rest]);
      }
    });
  }

  /** Disconnects when what was asked already has been answered. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#inFlight.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await this.#close();
  }

  #use(client: Redis | Cluster, close: () => unknown): void {
    this.#client = client;
    this.#close = close;
    client.on('ready', () => this.events.ready());
    // ioredis itself never answers what was under way on a connection that broke (ioredis#2193).
    client.on('close', () => {
      for (const lost of this.#inFlight) lost(new Error('The connection was lost.'));
    });
  }

  async #bound(ask: (client: Redis | Cluster) => Promise<unknown>): Promise<unknown> {
    const client = this.#client;
    if (client?.status !== 'ready') throw isAway();
    if (this.#inFlight.size >= MAX_IN_FLIGHT) {
      throw new BackplaneError('overloaded', `Redis has not answered ${MAX_IN_FLIGHT} commands.`);
    }
    let lost: Lost = () => {};
    const loss = new Promise<never>((_resolve, reject) => (lost = reject));
    const answersBefore = this.#answers;
    this.#inFlight.add(lost);
    try {
      const answer = await Promise.race([ask(client), loss]);
      this.#answers++;
      return answer;
    } catch (error) {
      if (hasTimedOut(error as Error) && this.#answers === answersBefore) this.#recycle(client);
      throw failureOf(error as Error);
    } finally {
      this.#inFlight.delete(lost);
      if (this.#inFlight.size === 0) this.#onIdle?.();
    }
  }

  /** Gives up a half-open connection, which looks ready for ever and answers nobody. */
  #recycle(client: Redis | Cluster): void {
    if (client.status === 'ready') client.disconnect(true);
  }
}

function hasTimedOut({ message }: Error): boolean {
  return message === 'Command timed out';
}

function failureOf(error: Error): BackplaneError {
  if (hasTimedOut(error)) return notAnswered(COMMAND_TIMEOUT_MS);
  if (error.message.startsWith('OOM')) {
    return new BackplaneError('overloaded', 'Redis is out of memory.', { cause: error });
  }
  return asBackplaneError(error);
}
