import type { Redis } from 'ioredis';
import { ChannelStates } from './channel-states.js';
import { isAway, isRefusal } from '../client/redis-error.js';
import type { PubSub } from './redis-pubsub.js';

/** What a subscriber reports. */
export interface SubscriberEvents {
  message(name: Buffer, message: Buffer, partition: number): void;
  /** Every wanted channel is subscribed again after the connection was lost. */
  resubscribed(channels: number, durationMs: number): void;
  /** Redis did not take a subscription; it is tried again. */
  failed(error: Error): void;
}

/** What a subscriber needs of a client. */
export type SubscribingClient = Pick<
  Redis,
  'status' | 'on' | 'subscribe' | 'ssubscribe' | 'unsubscribe' | 'sunsubscribe'
>;

/** A client that is never connected. */
export const NOWHERE = {
  status: 'end',
  on: () => NOWHERE,
  subscribe: nothing,
  ssubscribe: nothing,
  unsubscribe: nothing,
  sunsubscribe: nothing,
} as unknown as SubscribingClient;

const BATCH_CHANNELS = 256;
// Replies to so many channels wait at a time: far below the 32 MB at which Redis ends a subscriber.
const MAX_CHANNELS_IN_FLIGHT = 1_024;
const SWEEP_MS = 1_000;
// Given up in one sweep: the replies to it count for the same 32 MB.
const MAX_SWEPT = 8_192;
const RETRY_MS = 500;
const REFUSED_RETRY_MS = 1_000;

/**
 * The subscriptions of one Redis connection. Wanting a channel resolves when Redis has confirmed it, and after a lost
 * connection everything wanted is subscribed again in batches that never outrun their replies. A batch holds channels
 * of one partition, as Redis Cluster wants it.
 */
export class RedisSubscriber {
  readonly #partitions = new Map<number, ChannelStates>();
  readonly #retries = new Set<NodeJS.Timeout>();
  #connection = 0;
  #inFlight = 0;
  #readyAt = 0;
  #isCatchingUp = false;
  #isFlushScheduled = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly client: SubscribingClient,
    private readonly pubSub: PubSub,
    private readonly partitionOf: (name: string | Buffer) => number,
    private readonly events: SubscriberEvents,
  ) {
    client.on(pubSub.event, (name: Buffer, message: Buffer) =>
      events.message(name, message, partitionOf(name)),
    );
    client.on('ready', () => this.#ready());
    client.on('close', () => this.#lost());
  }

  /** Channels that are wanted or linger. */
  get size(): number {
    let size = 0;
    for (const channels of this.#partitions.values()) size += channels.size;
    return size;
  }

  /** How many of them Redis has confirmed. */
  get acked(): number {
    let acked = 0;
    for (const channels of this.#partitions.values()) acked += channels.acked;
    return acked;
  }

  /** Whether Redis counts this connection as a subscriber of the channel. */
  isSubscribed(name: string): boolean {
    return this.#partitions.get(this.partitionOf(name))?.isAcked(name) ?? false;
  }

  subscribe(name: string): Promise<void> | undefined {
    if (this.#isClosed) return Promise.reject(isAway());
    const confirmed = this.#channelsOf(name).want(name);
    if (confirmed !== undefined) this.#flushSoon();
    return confirmed;
  }

  unsubscribe(name: string): void {
    this.#partitions.get(this.partitionOf(name))?.leave(name);
    this.#tick();
  }

  /** Gives a partition away, with those who wait for its channels. */
  release(partition: number): ChannelStates | undefined {
    const channels = this.#partitions.get(partition);
    this.#partitions.delete(partition);
    channels?.lost();
    return channels;
  }

  /** Takes a partition over and subscribes what is wanted of it. */
  adopt(partition: number, channels: ChannelStates): void {
    channels.restart();
    this.#partitions.set(partition, channels);
    this.#flushSoon();
  }

  /** Subscribes everything again, although the connection was not lost. */
  restart(): void {
    if (this.client.status === 'ready') this.#catchUp();
  }

  /** Forgets everything; whoever waits is told. */
  close(): void {
    this.#isClosed = true;
    this.#connection++;
    clearInterval(this.#timer);
    for (const retry of this.#retries) clearTimeout(retry);
    for (const channels of this.#partitions.values()) channels.close();
    this.#partitions.clear();
  }

  #channelsOf(name: string): ChannelStates {
    const partition = this.partitionOf(name);
    let channels = this.#partitions.get(partition);
    if (channels === undefined) this.#partitions.set(partition, (channels = new ChannelStates()));
    return channels;
  }

  #ready(): void {
    this.#connection++;
    this.#inFlight = 0;
    this.#catchUp();
  }

  #catchUp(): void {
    this.#readyAt = performance.now();
    this.#isCatchingUp = true;
    for (const channels of this.#partitions.values()) channels.restart();
    this.#flush();
  }

  #lost(): void {
    this.#connection++;
    this.#isCatchingUp = false;
    for (const channels of this.#partitions.values()) channels.lost();
  }

  #flushSoon(): void {
    this.#tick();
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    // Everyone who joins in this turn of the event loop shares a command.
    setImmediate(() => {
      this.#isFlushScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.client.status !== 'ready') {
      for (const channels of this.#partitions.values()) channels.dropQueue();
      return;
    }
    for (const [partition, channels] of this.#partitions) {
      while (channels.hasQueued) {
        if (this.#inFlight >= MAX_CHANNELS_IN_FLIGHT) return;
        const names = channels.take(BATCH_CHANNELS);
        if (names.length > 0) void this.#send(partition, channels, names);
      }
    }
    if (!this.#isCatchingUp || this.#inFlight > 0) return;
    this.#isCatchingUp = false;
    this.events.resubscribed(this.acked, performance.now() - this.#readyAt);
  }

  async #send(partition: number, channels: ChannelStates, names: readonly string[]): Promise<void> {
    const connection = this.#connection;
    this.#inFlight += names.length;
    let failure: Error | undefined;
    try {
      await this.client[this.pubSub.subscribe](...names);
    } catch (error) {
      failure = error as Error;
    }
    if (connection !== this.#connection) return;
    this.#inFlight -= names.length;
    // A partition that was given away meanwhile is no longer ours to confirm.
    if (this.#partitions.get(partition) === channels) {
      if (failure === undefined) channels.confirm(names);
      else this.#retry(partition, channels, names, failure);
    }
    this.#flush();
  }

  #retry(partition: number, channels: ChannelStates, names: readonly string[], error: Error): void {
    const isRefused = isRefusal(error);
    if (isRefused) {
      channels.reject(names, 'refused', 'Redis does not let this node subscribe: check its ACL.');
    }
    const connection = this.#connection;
    const delayMs = isRefused ? REFUSED_RETRY_MS : RETRY_MS;
    const retry = setTimeout(
      () => {
        this.#retries.delete(retry);
        if (connection !== this.#connection || this.#partitions.get(partition) !== channels) return;
        channels.requeue(names);
        this.#flush();
      },
      delayMs + Math.random() * delayMs,
    );
    this.#retries.add(retry.unref());
    // Last, because a cluster may answer by taking the partition away.
    this.events.failed(error);
  }

  #tick(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#timer.unref();
  }

  /** Gives up what has lingered long enough, and tells whoever has waited too long. */
  #sweep(): void {
    const now = performance.now();
    let isTimed = false;
    let left = MAX_SWEPT;
    for (const channels of this.#partitions.values()) {
      if (!channels.isTimed) continue;
      isTimed = true;
      const names = channels.expire(now, left);
      left -= names.length;
      for (let i = 0; i < names.length; i += BATCH_CHANNELS)
        this.#takeBack(names.slice(i, i + BATCH_CHANNELS));
    }
    if (isTimed) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #takeBack(names: readonly string[]): void {
    // On a connection that is away there is nothing to take back: the next one begins without them.
    if (this.client.status !== 'ready') return;
    this.client[this.pubSub.unsubscribe](...names).catch((error: Error) => this.events.failed(error));
  }
}

function nothing(): Promise<never> {
  return Promise.reject(new Error('Not connected.'));
}
