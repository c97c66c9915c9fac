import type { Cluster, Redis } from 'ioredis';
import { BackplaneError } from '../../backplane-error.js';
import { COMMAND_TIMEOUT_MS, RedisClients } from './redis-client.js';
import type { RedisConfiguration } from './redis-configuration.js';
import { asBackplaneError, unavailableError, timeoutError } from './redis-error.js';
import type { RedisScript } from './redis-script.js';
import { unlessAborted } from './with-timeout.js';

export interface RedisCommandEvents {
  failed(error: Error): void;
  /** Connected, for the first time or again; Redis may have lost its data meanwhile. */
  ready(): void;
}

type Reject = (error: Error) => void;

// With more than this in flight Redis is slow, and queueing would only hide it.
const MAX_IN_FLIGHT = 10_000;

/**
 * Runs commands on a connection of its own, so that publications never wait behind a script. Each settles within a
 * bounded time: with Redis' reply, or with a `BackplaneError` that tells whether Redis may have run it.
 */
export class RedisCommands {
  readonly #clients: RedisClients;
  readonly #inFlight = new Set<Reject>();
  #client: Redis | Cluster | undefined;
  #close: () => unknown = () => {};
  #replies = 0;
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

  /** Runs a script. */
  run(script: RedisScript, keys: readonly string[], parameters: readonly string[]): Promise<unknown> {
    return this.#bound((client) => script.run(client, keys, parameters));
  }

  /** Disconnects when all commands in flight have settled. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#inFlight.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    await this.#close();
  }

  #use(client: Redis | Cluster, close: () => unknown): void {
    this.#client = client;
    this.#close = close;
    client.on('ready', () => this.events.ready());
    // ioredis never settles a command that was in flight on a connection that broke (ioredis#2193).
    client.on('close', () => {
      for (const lost of this.#inFlight) lost(new Error('The connection was lost.'));
    });
  }

  async #bound(send: (client: Redis | Cluster) => Promise<unknown>): Promise<unknown> {
    const client = this.#client;
    if (client?.status !== 'ready') throw unavailableError();
    if (this.#inFlight.size >= MAX_IN_FLIGHT) {
      throw new BackplaneError('overloaded', `Redis has not replied to ${MAX_IN_FLIGHT} commands.`);
    }
    let lost: Reject = () => {};
    const loss = new Promise<never>((_resolve, reject) => (lost = reject));
    const repliesBefore = this.#replies;
    this.#inFlight.add(lost);
    try {
      const reply = await Promise.race([send(client), loss]);
      this.#replies++;
      return reply;
    } catch (error) {
      if (hasTimedOut(error as Error) && this.#replies === repliesBefore) this.#recycle(client);
      throw failureOf(error as Error);
    } finally {
      this.#inFlight.delete(lost);
      if (this.#inFlight.size === 0) this.#onIdle?.();
    }
  }

  /** Drops a half-open connection, which stays `ready` and never replies. */
  #recycle(client: Redis | Cluster): void {
    if (client.status === 'ready') client.disconnect(true);
  }
}

function hasTimedOut({ message }: Error): boolean {
  return message === 'Command timed out';
}

function failureOf(error: Error): BackplaneError {
  if (hasTimedOut(error)) return timeoutError(COMMAND_TIMEOUT_MS);
  if (error.message.startsWith('OOM')) {
    return new BackplaneError('overloaded', 'Redis is out of memory.', { cause: error });
  }
  return asBackplaneError(error);
}
