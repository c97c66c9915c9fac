import type { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { withTimeout } from './with-timeout.js';

const CONNECT_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 1_000;
const MIN_REVIVAL_MS = 200;
const REVIVAL_SPREAD_MS = 800;

/**
 * One connection that is ours, and that tries for ever until it is closed. ioredis gives up for good (`end`, without
 * asking its retryStrategy) when it is disconnected while it looks for the address, as a Sentinel client does for long.
 */
export class RedisConnection {
  #isClosed = false;
  #revival: NodeJS.Timeout | undefined;

  constructor(
    readonly client: Redis,
    private readonly onError: (error: Error) => void,
  ) {
    // Without a listener, an `error` event of ioredis is printed by it and forgotten.
    client.on('error', (error: Error) => {
      if (isUnexpectedReply(error)) client.emit('moved');
      else onError(error);
    });
    client.on('end', () => this.#ended());
    // ioredis opens its connections to the Sentinels also for a socket that was given up while it connected.
    (client as EventEmitter).on('failoverSubscribed', () => {
      if (this.#isClosed) client.disconnect();
    });
  }

  get isReady(): boolean {
    return this.client.status === 'ready';
  }

  /** Resolves once the first attempt has ended either way, or takes too long to wait for; the trying goes on. */
  async connect(): Promise<void> {
    if (this.#isClosed) return;
    // A failure is told to the `error` listener too.
    await withTimeout(CONNECT_TIMEOUT_MS, this.client.connect()).catch(() => {});
  }

  /** There is reason to believe that it would succeed now: does not wait for the next attempt. */
  hurry(): void {
    // The attempt that was waiting finds this one under way, and leaves it alone.
    if (this.client.status === 'reconnecting') this.client.connect().catch(() => {});
  }

  /** Drops a socket that does not answer; retries begin at once. One that is not connected yet is left alone. */
  recycle(): void {
    const { status } = this.client;
    if (status === 'ready' || status === 'connect') this.client.disconnect(true);
  }

  /** Resolves when the socket is gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#revival);
    if (this.client.status === 'end') return;
    const ended = new Promise((resolve) => this.client.once('end', resolve));
    this.client.disconnect();
    await withTimeout(CLOSE_TIMEOUT_MS, ended).catch(this.onError);
  }

  #ended(): void {
    if (this.#isClosed) return;
    this.#revival = setTimeout(
      () => {
        this.client.connect().catch(this.onError);
      },
      MIN_REVIVAL_MS + Math.random() * REVIVAL_SPREAD_MS,
    );
    this.#revival.unref();
  }
}

/**
 * Redis Cluster takes the subscriptions to a slot that moves away with a `sunsubscribe` nobody asked for. ioredis 6 then
 * emits `moved`; ioredis 5 takes it for the reply to whatever it has asked last, and has one reply too many.
 */
function isUnexpectedReply({ message }: Error): boolean {
  return /^Command queue state error.* Last (reply: s(un)?subscribe,|error: MOVED )/s.test(message);
}
