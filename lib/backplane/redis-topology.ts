import type { Cluster, Redis } from 'ioredis';
import { connect, type RedisClients } from './redis-client.js';
import { RedisSubscriber, type SubscriberEvents } from './redis-subscriber.js';

/** The connections of a backplane to whatever kind of Redis there is. */
export interface RedisTopology {
  start(): Promise<void>;
  /** Publishes to a channel; resolves with the number of subscribed connections. */
  publish(name: string, message: string): Promise<number>;
  subscribe(name: string): Promise<void> | undefined;
  unsubscribe(name: string): void;
  /** Replaces connections that do not answer. */
  recycle(): void;
  /** Subscriptions wanted, and confirmed by Redis. */
  readonly subscriptions: { readonly wanted: number; readonly confirmed: number };
  readonly isReady: boolean;
  stop(): Promise<void>;
}

/** One Redis or one Sentinel group: a connection for commands, and one for subscriptions alone. */
export class SingleRedis implements RedisTopology {
  #commands: Redis | undefined;
  #subscriber: RedisSubscriber | undefined;

  constructor(
    private readonly clients: RedisClients,
    private readonly events: SubscriberEvents,
    private readonly onError: (error: Error) => void,
    private readonly onReady: () => void,
  ) {}

  get isReady(): boolean {
    return this.#commands?.status === 'ready';
  }

  get subscriptions() {
    return { wanted: this.#subscriber?.size ?? 0, confirmed: this.#subscriber?.acked ?? 0 };
  }

  async start(): Promise<void> {
    this.#commands = await this.clients.redis({ enableAutoPipelining: true });
    const subscriber = await this.clients.redis();
    this.#subscriber = new RedisSubscriber(
      subscriber,
      { subscribe: 'subscribe', unsubscribe: 'unsubscribe' },
      this.events,
    );
    this.#commands.on('ready', this.onReady);
    subscriber.on('ready', this.onReady);
    await Promise.all([connect(this.#commands, this.onError), connect(subscriber, this.onError)]);
  }

  publish(name: string, message: string): Promise<number> {
    return (this.#commands as Redis).publish(name, message);
  }

  subscribe(name: string): Promise<void> | undefined {
    return this.#subscriber?.add(name);
  }

  unsubscribe(name: string): void {
    this.#subscriber?.remove(name);
  }

  recycle(): void {
    // `disconnect(true)` drops the socket at once and begins the retries.
    this.#commands?.disconnect(true);
    this.#subscriber?.client.disconnect(true);
  }

  async stop(): Promise<void> {
    this.#subscriber?.close();
    this.#subscriber?.client.disconnect();
    this.#commands?.disconnect();
  }
}

/** A client of any topology that runs commands. */
export type CommandClient = Redis | Cluster;
