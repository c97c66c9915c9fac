import type { RedisClients } from '../client/redis-client.js';
import { unavailableError } from '../client/redis-error.js';
import { RedisShard } from './redis-shard.js';
import { rejectPublication, type PublishSettlement } from './publish-settlement.js';
import { CLASSIC_PUBSUB } from './redis-pubsub.js';

/** The connections of a backplane to one kind of Redis deployment. */
export interface RedisTopology {
  start(): Promise<void>;
  /** Settles as its `PublishSettlement` says, within a bounded time. */
  publish<T>(name: string, message: string, settlement: PublishSettlement<T>): Promise<T>;
  subscribe(name: string): Promise<void> | undefined;
  unsubscribe(name: string): void;
  /** Whether Redis counts this node among the channel's subscribers. */
  isSubscribed(name: string): boolean;
  /** Whether the channel is or will be subscribed, confirmed or not. */
  isWanted(name: string): boolean;
  /** Resolves when what Redis had sent to the channel's subscriptions by now was received, or within a bounded time. */
  received(name: string): Promise<void>;
  /** Subscriptions wanted, and confirmed by Redis. */
  readonly subscriptions: { readonly wanted: number; readonly confirmed: number };
  /** Whether the probes of all servers in use come back. */
  readonly state: 'up' | 'down';
  stop(): Promise<void>;
}

/** What a topology reports. */
export interface TopologyEvents {
  /** A message, the name of its channel, and the partition of that channel. */
  message(name: Buffer, message: Buffer, partition: number): void;
  resubscribed(channels: number, durationMs: number): void;
  /** These channels, a probe's perhaps among them, are subscribed again after publications may have been missed. */
  interrupted(names: readonly string[]): void;
  failed(error: Error): void;
  stateChanged(state: 'up' | 'down'): void;
  roundTrip(seconds: number): void;
}

/** One Redis or one Sentinel group. */
export class SingleRedis implements RedisTopology {
  #shard: RedisShard | undefined;
  #isStopped = false;

  constructor(
    private readonly clients: RedisClients,
    private readonly probeName: string,
    private readonly events: TopologyEvents,
  ) {}

  get state(): 'up' | 'down' {
    return this.#shard?.state ?? 'down';
  }

  get subscriptions() {
    return this.#shard?.subscriptionCounts ?? { wanted: 0, confirmed: 0 };
  }

  async start(): Promise<void> {
    const [commands, subscriptions] = [await this.clients.redis(), await this.clients.redis()];
    // They are not connected yet.
    if (this.#isStopped) return;
    const events = { ...this.events, stateChanged: () => this.events.stateChanged(this.state) };
    this.#shard = new RedisShard(commands, subscriptions, CLASSIC_PUBSUB, () => 0, events);
    this.#shard.probeThrough(this.probeName);
    await this.#shard.start();
  }

  publish<T>(name: string, message: string, settlement: PublishSettlement<T>): Promise<T> {
    const shard = this.#shard;
    if (shard === undefined || shard.state === 'down') {
      return rejectPublication(settlement, unavailableError());
    }
    return shard.publisher.publish(name, message, settlement);
  }

  subscribe(name: string): Promise<void> | undefined {
    return this.#isStopped ? Promise.reject(unavailableError()) : this.#shard?.subscribe(name);
  }

  unsubscribe(name: string): void {
    this.#shard?.unsubscribe(name);
  }

  isSubscribed(name: string): boolean {
    return this.#shard?.isSubscribed(name) ?? false;
  }

  isWanted(name: string): boolean {
    return this.#shard?.isWanted(name) ?? false;
  }

  async received(): Promise<void> {
    await this.#shard?.received();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#shard?.stop();
    this.#shard = undefined;
  }
}
