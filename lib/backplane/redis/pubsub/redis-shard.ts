import type { ChannelStates } from './channel-states.js';
import { COMMAND_TIMEOUT_MS } from '../client/redis-client.js';
import type { RedisConnection } from '../client/redis-connection.js';
import { unavailableError } from '../client/redis-error.js';
import { PROBE, RedisProbe } from './redis-probe.js';
import { RECEIVERS } from './publish-settlement.js';
import { RedisPublisher } from './redis-publisher.js';
import type { PubSub } from './redis-pubsub.js';
import { withTimeout } from '../client/with-timeout.js';
import { RedisSubscriber, type SubscriberEvents } from './redis-subscriber.js';

/** What a shard reports. */
export interface ShardEvents extends SubscriberEvents {
  /** Probes come back again, or no longer. */
  stateChanged(): void;
  roundTrip(seconds: number): void;
  /** A connection was lost, or a probe is late. */
  lost?(): void;
  /** Redis Cluster took subscriptions away, because their slot has moved. */
  moved?(): void;
}

const RECEIVED_TIMEOUT_MS = 1_000;
/** No node id begins with it. */
const PROBE_MARK = 0x01;

/**
 * One Redis server: a connection for commands, another for subscriptions (Redis ends a connection that reads too slowly),
 * and a probe that passes through both.
 */
export class RedisShard {
  readonly publisher: RedisPublisher;
  readonly #subscriber: RedisSubscriber;
  readonly #probe: RedisProbe;
  #probeName: string | undefined;
  #received: Promise<void> | undefined;
  #isStopped = false;

  constructor(
    private readonly commands: RedisConnection,
    private readonly subscriptions: RedisConnection,
    pubSub: PubSub,
    partitionOf: (name: string | Buffer) => number,
    private readonly events: ShardEvents,
  ) {
    this.publisher = new RedisPublisher(commands.client, pubSub, COMMAND_TIMEOUT_MS);
    this.#subscriber = new RedisSubscriber(subscriptions.client, pubSub, partitionOf, {
      message: (name, message, partition) => this.#receive(name, message, partition),
      resubscribed: (channels, durationMs) => {
        this.#probe.probeNow();
        events.resubscribed(channels, durationMs);
      },
      interrupted: events.interrupted,
      failed: events.failed,
    });
    this.#probe = new RedisProbe(
      {
        send: (text) => this.#sendProbe(text),
        late: () => events.lost?.(),
        recycle: () => this.#recycle(),
      },
      PROBE,
      () => events.stateChanged(),
      (seconds) => events.roundTrip(seconds),
    );
    commands.client.on('ready', () => {
      subscriptions.retryNow();
      this.#probe.probeNow();
    });
    subscriptions.client.on('ready', () => commands.retryNow());
    for (const { client } of [commands, subscriptions]) {
      client.on('close', () => {
        this.#probe.lost();
        events.lost?.();
      });
    }
    // Not in ioredis' documentation; it is emitted for each unsolicited `sunsubscribe`.
    subscriptions.client.on('moved', () => events.moved?.());
  }

  get state(): 'up' | 'down' {
    return this.#probe.state;
  }

  /** Both connections are ready, and the last probe is not late. */
  get isHealthy(): boolean {
    return this.commands.isReady && this.subscriptions.isReady && !this.#probe.isLate;
  }

  /** Channels wanted and channels confirmed by Redis, each with the probe's. */
  get subscriptionCounts(): { wanted: number; confirmed: number } {
    return { wanted: this.#subscriber.size, confirmed: this.#subscriber.confirmed };
  }

  /** Resolves when a probe has come back, or after a second. */
  async start(): Promise<void> {
    await Promise.all([this.commands.connect(), this.subscriptions.connect()]);
    // While Redis is away the node serves its own clients and reports that in its health.
    if (!this.#isStopped) await this.#probe.start();
  }

  /** Sends the probes through this channel from now on. */
  probeThrough(name: string | undefined): void {
    const before = this.#probeName;
    if (name === before) return;
    this.#probeName = name;
    if (name === undefined) return;
    // A failure needs no handling: the probe does not come back.
    this.#subscriber.subscribe(name)?.then(
      () => this.#probe.probeNow(),
      () => {},
    );
    if (before !== undefined) this.#subscriber.unsubscribe(before);
  }

  subscribe(name: string): Promise<void> | undefined {
    return this.#subscriber.subscribe(name);
  }

  unsubscribe(name: string): void {
    this.#subscriber.unsubscribe(name);
  }

  isSubscribed(name: string): boolean {
    return this.#subscriber.isSubscribed(name);
  }

  isWanted(name: string): boolean {
    return this.#subscriber.isWanted(name);
  }

  /** Resolves when everything that Redis had sent to the subscriptions by now was received, or after a second. */
  received(): Promise<void> {
    // One round trip for all that wait in this turn of the event loop.
    return (this.#received ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#received = undefined;
        const { client } = this.subscriptions;
        withTimeout(RECEIVED_TIMEOUT_MS, client.ping()).then(
          () => resolve(),
          () => resolve(),
        );
      });
    }));
  }

  release(partition: number): ChannelStates | undefined {
    return this.#subscriber.release(partition);
  }

  adopt(partition: number, channels: ChannelStates): void {
    this.#subscriber.adopt(partition, channels);
  }

  /** Subscribes everything again on the connection as it is. */
  resubscribe(): void {
    this.#subscriber.restart();
  }

  /** The server's own view of the owners of all slots. */
  slots(): Promise<unknown> {
    return this.commands.client.cluster('SLOTS');
  }

  /** Publishes a probe that all nodes ignore; resolves if the server serves the channel. */
  async verifySlotOwner(name: string): Promise<void> {
    await this.publisher.publish(name, `${String.fromCharCode(PROBE_MARK)}slot`, RECEIVERS);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#probe.stop();
    this.#subscriber.close();
    await Promise.all([this.commands.close(), this.subscriptions.close()]);
  }

  async #sendProbe(text: string): Promise<void> {
    if (this.#probeName === undefined || !this.publisher.isReady) throw unavailableError();
    const message = `${String.fromCharCode(PROBE_MARK)}${text}`;
    await this.publisher.publish(this.#probeName, message, RECEIVERS);
  }

  #receive(name: Buffer, message: Buffer, partition: number): void {
    if (message[0] === PROBE_MARK) this.#probe.received(message.toString('latin1', 1));
    else this.events.message(name, message, partition);
  }

  #recycle(): void {
    this.commands.recycle();
    this.subscriptions.recycle();
  }
}
