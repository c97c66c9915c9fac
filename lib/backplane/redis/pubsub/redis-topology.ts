import type { RedisClients } from '../client/redis-client.js';
import { isAway } from '../client/redis-error.js';
import { RedisShard } from './redis-shard.js';
import type { PublishSettlement } from './redis-publisher.js';
import { CLASSIC_PUBSUB } from './redis-pubsub.js';

/** The connections of a backplane to whatever kind of Redis there is. */
export interface RedisTopology {
  start(): Promise<void>;
  /** Settles, as its settlement says, within a bounded time. */
  publish<T>(name: string, message: string, settlement: PublishSettlement<T>): Promise<T>;
  subscribe(name: string): Promise<void> | undefined;
  unsubscribe(name: string): void;
  /** Whether Redis counts this node among the channel's subscribers. */
  isSubscribed(name: string): boolean;
  /** Subscriptions wanted, and confirmed by Redis. */
  readonly subscriptions: { readonly wanted: number; readonly confirmed: number };
  /** Whether every server that matters is heard through a probe. */
  readonly state: 'up' | 'down';
  stop(): Promise<void>;
}

/** What a topology reports. */
export interface TopologyEvents {
  /** What came, the name of its channel, and the partition that is in. */
  message(name: Buffer, message: Buffer, partition: number): void;
  resubscribed(channels: number, durationMs: number): void;
  failed(error: Error): void;
  stateChanged(state: 'up' | 'down'): void;
  roundTrip(seconds: number): void;
}

/** One Redis or one Sentinel group. */
export class SingleRedis implements RedisTopology {
  #link: RedisShard | undefined;
  #isStopped = false;

  constructor(
    private readonly clients: RedisClients,
    private readonly probeName: string,
    private readonly events: TopologyEvents,
  ) {}

  get state(): 'up' | 'down' {
    return this.#link?.state ?? 'down';
  }

  get subscriptions() {
    return this.#link?.subscriptionCounts ?? { wanted: 0, confirmed: 0 };
  }

  async start(): Promise<void> {
    const [commands, subscriptions] = [await this.clients.redis(), await this.clients.redis()];
    // They are not connected yet.
    if (this.#isStopped) return;
    const events = { ...this.events, stateChanged: () => this.events.stateChanged(this.state) };
    this.#link = new RedisShard(commands, subscriptions, CLASSIC_PUBSUB, () => 0, events);
    this.#link.probeThrough(this.probeName);
    await this.#link.start();
  }

  publish<T>(name: string, message: string, settlement: PublishSettlement<T>): Promise<T> {
    const link = this.#link;
    if (link === undefined || link.state === 'down') {
      return Promise.reject(isAway()).catch((error) => settlement.failed(error));
    }
    return link.publisher.publish(name, message, settlement);
  }

  subscribe(name: string): Promise<void> | undefined {
    return this.#isStopped ? Promise.reject(isAway()) : this.#link?.subscribe(name);
  }

  unsubscribe(name: string): void {
    this.#link?.unsubscribe(name);
  }

  isSubscribed(name: string): boolean {
    return this.#link?.isSubscribed(name) ?? false;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#link?.stop();
    this.#link = undefined;
  }
}
