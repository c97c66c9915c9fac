import type { EventEmitter } from 'node:events';
import type { Redis } from 'ioredis';
import { withTimeout } from './with-timeout.js';

const CONNECT_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 1_000;
const MIN_REVIVAL_MS = 200;
const REVIVAL_SPREAD_MS = 800;

/**
 * One connection that reconnects until it is closed. ioredis stops for good (`end`, without a call of its retryStrategy)
 * when it is disconnected while it resolves the address, which takes a Sentinel client long.
 */
export class RedisConnection {
  #isClosed = false;
  #revival: NodeJS.Timeout | undefined;

  constructor(
    readonly client: Redis,
    private readonly onError: (error: Error) => void,
  ) {
    // ioredis prints an `error` event that has no listener.
    client.on('error', (error: Error) => {
      if (isUnexpectedReply(error)) client.emit('moved');
      else onError(error);
    });
    client.on('end', () => this.#ended());
    // ioredis connects to the Sentinels even for a socket that was closed while it connected.
    (client as EventEmitter).on('failoverSubscribed', () => {
      if (this.#isClosed) client.disconnect();
    });
  }

  get isReady(): boolean {
    return this.client.status === 'ready';
  }

  /** Resolves once the first attempt has ended, or after 5 s; further attempts follow. */
  async connect(): Promise<void> {
    if (this.#isClosed) return;
    // The `error` listener gets a failure too.
    await withTimeout(CONNECT_TIMEOUT_MS, this.client.connect()).catch(() => {});
  }

  /** The server is reachable again: does not wait for the next attempt. */
  retryNow(): void {
    // The scheduled attempt does nothing when it finds this one under way.
    if (this.client.status === 'reconnecting') this.client.connect().catch(() => {});
  }

  /** Drops a connected socket that does not reply, and reconnects at once. */
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
 * When a slot moves, Redis Cluster ends its subscriptions with an unsolicited `sunsubscribe`. ioredis 6 then emits
 * `moved`; ioredis 5 takes it for the reply to its last command, and later has one reply too many.
 */
function isUnexpectedReply({ message }: Error): boolean {
  return /^Command queue state error.* Last (reply: s(un)?subscribe,|error: MOVED )/s.test(message);
}
