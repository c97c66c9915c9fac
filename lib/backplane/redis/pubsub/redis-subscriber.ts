import type { Redis } from 'ioredis';
import { ChannelStates } from './channel-states.js';
import { isRefusal, unavailableError } from '../client/redis-error.js';
import type { PubSub } from './redis-pubsub.js';

/** What a subscriber reports; no listener may throw. */
export interface SubscriberEvents {
  message(name: Buffer, message: Buffer, partition: number): void;
  /** Every wanted channel is subscribed again after the connection was lost. */
  resubscribed(channels: number, durationMs: number): void;
  /** These channels are subscribed again, after publications to them may have been missed. */
  interrupted(names: readonly string[]): void;
  /** Redis did not take a subscription; it is tried again. */
  failed(error: Error): void;
}

/** What a subscriber needs of a client. */
export type SubscribingClient = Pick<
  Redis,
  'status' | 'on' | 'subscribe' | 'ssubscribe' | 'unsubscribe' | 'sunsubscribe'
>;

/** A client that is never connected. */
export const DISCONNECTED_CLIENT = {
  status: 'end',
  on: () => DISCONNECTED_CLIENT,
  subscribe: rejectDisconnected,
  ssubscribe: rejectDisconnected,
  unsubscribe: rejectDisconnected,
  sunsubscribe: rejectDisconnected,
} as unknown as SubscribingClient;

const BATCH_CHANNELS = 256;
// Replies to so many channels wait at a time: far below the 32 MB at which Redis ends a subscriber.
const MAX_CHANNELS_IN_FLIGHT = 1_024;
const SWEEP_MS = 1_000;
// Unsubscribed in one sweep: the replies count for the same 32 MB.
const MAX_UNSUBSCRIBED = 8_192;
const RETRY_MS = 500;
const REFUSED_RETRY_MS = 1_000;

/**
 * The subscriptions of one Redis connection. `subscribe` resolves when Redis has confirmed the channel. After a lost
 * connection everything wanted is subscribed again, in batches whose replies are bounded. A batch has channels of one
 * partition, as Redis Cluster requires.
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

  /** Channels that are wanted, or were until a few seconds ago. */
  get size(): number {
    let size = 0;
    for (const channels of this.#partitions.values()) size += channels.size;
    return size;
  }

  /** How many of them Redis has confirmed. */
  get confirmed(): number {
    let confirmed = 0;
    for (const channels of this.#partitions.values()) confirmed += channels.confirmed;
    return confirmed;
  }

  /** Whether Redis counts this connection as a subscriber of the channel. */
  isSubscribed(name: string): boolean {
    return this.#partitions.get(this.partitionOf(name))?.isConfirmed(name) ?? false;
  }

  /** Whether the channel is or will be subscribed, confirmed or not. */
  isWanted(name: string): boolean {
    return this.#partitions.get(this.partitionOf(name))?.has(name) ?? false;
  }

  subscribe(name: string): Promise<void> | undefined {
    if (this.#isClosed) return Promise.reject(unavailableError());
    const confirmed = this.#channelsOf(name).want(name);
    if (confirmed !== undefined) this.#flushSoon();
    return confirmed;
  }

  unsubscribe(name: string): void {
    this.#partitions.get(this.partitionOf(name))?.leave(name);
    this.#startSweeping();
  }

  /** Gives a partition away, with the callers that wait for its channels. */
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

  /** Forgets everything, and rejects the callers that wait. */
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
    this.#startSweeping();
    if (this.#isFlushScheduled) return;
    this.#isFlushScheduled = true;
    // All joins of one turn of the event loop share a command.
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
    this.events.resubscribed(this.confirmed, performance.now() - this.#readyAt);
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
    // A partition that was given away meanwhile is not ours to confirm.
    if (this.#partitions.get(partition) === channels) {
      if (failure === undefined) this.#confirm(channels, names);
      else this.#retry(partition, channels, names, failure);
    }
    this.#flush();
  }

  #confirm(channels: ChannelStates, names: readonly string[]): void {
    const interrupted = channels.confirm(names);
    if (interrupted.length > 0) this.events.interrupted(interrupted);
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
    // Last, because a cluster may take the partition away in reply.
    this.events.failed(error);
  }

  #startSweeping(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#sweep(), SWEEP_MS);
    this.#timer.unref();
  }

  /** Unsubscribes channels that lingered long enough, and rejects callers that waited too long. */
  #sweep(): void {
    const now = performance.now();
    let isTimed = false;
    let left = MAX_UNSUBSCRIBED;
    for (const channels of this.#partitions.values()) {
      if (!channels.isTimed) continue;
      isTimed = true;
      const names = channels.expire(now, left);
      left -= names.length;
      for (let i = 0; i < names.length; i += BATCH_CHANNELS) {
        this.#unsubscribe(names.slice(i, i + BATCH_CHANNELS));
      }
    }
    if (isTimed) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #unsubscribe(names: readonly string[]): void {
    // The next connection begins without them.
    if (this.client.status !== 'ready') return;
    this.client[this.pubSub.unsubscribe](...names).catch((error: Error) => this.events.failed(error));
  }
}

function rejectDisconnected(): Promise<never> {
  return Promise.reject(new Error('Not connected.'));
}
