import type { ChannelStates } from './channel-states.js';
import { COMMAND_TIMEOUT_MS } from '../client/redis-client.js';
import type { RedisConnection } from '../client/redis-connection.js';
import { isAway } from '../client/redis-error.js';
import { PROBE, RedisProbe } from './redis-probe.js';
import { PLAIN_SETTLEMENT, RedisPublisher } from './redis-publisher.js';
import type { PubSub } from './redis-pubsub.js';
import { RedisSubscriber, type SubscriberEvents } from './redis-subscriber.js';

/** What a link reports. */
export interface ShardEvents extends SubscriberEvents {
  /** Whether messages really go through it. */
  stateChanged(): void;
  roundTrip(seconds: number): void;
  /** A connection was lost, or answers late. */
  lost?(): void;
  /** Redis Cluster took subscriptions away, because their slot has moved. */
  moved?(): void;
}

/** No node id begins with it. */
const PROBE_MARK = 0x01;

/**
 * One Redis server: a connection for commands, one for subscriptions alone (Redis ends one that falls behind, and
 * commands would fall with it), and a probe that goes round through both.
 */
export class RedisShard {
  readonly publisher: RedisPublisher;
  readonly #subscriber: RedisSubscriber;
  readonly #probe: RedisProbe;
  #probeName: string | undefined;
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
        this.#probe.hurry();
        events.resubscribed(channels, durationMs);
      },
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
      subscriptions.hurry();
      this.#probe.hurry();
    });
    subscriptions.client.on('ready', () => commands.hurry());
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

  /** Both connections are there, and the last probe is not late. */
  get isHealthy(): boolean {
    return this.commands.isReady && this.subscriptions.isReady && !this.#probe.isLate;
  }

  /** Channels wanted, and confirmed by Redis, its own probe's among them. */
  get subscriptionCounts(): { wanted: number; confirmed: number } {
    return { wanted: this.#subscriber.size, confirmed: this.#subscriber.acked };
  }

  /** Resolves when a probe has come back, or when that takes too long to wait for. */
  async start(): Promise<void> {
    await Promise.all([this.commands.connect(), this.subscriptions.connect()]);
    // Redis may be away while the app boots; the node then serves its own clients and says so in its health.
    if (!this.#isStopped) await this.#probe.start();
  }

  /** Goes on probing through this channel. */
  probeThrough(name: string | undefined): void {
    const before = this.#probeName;
    if (name === before) return;
    this.#probeName = name;
    if (name === undefined) return;
    // Nobody waits for this one: a probe that does not come back says the same.
    this.#subscriber.subscribe(name)?.then(
      () => this.#probe.hurry(),
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

  /** What the server says of who owns which slot. */
  slots(): Promise<unknown> {
    return this.commands.client.cluster('SLOTS');
  }

  /** Publishes what only a probe isSubscribed; resolves if the server serves the channel. */
  async verifySlotOwner(name: string): Promise<void> {
    await this.publisher.publish(name, `${String.fromCharCode(PROBE_MARK)}verifySlotOwner`, PLAIN_SETTLEMENT);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#probe.stop();
    this.#subscriber.close();
    await Promise.all([this.commands.close(), this.subscriptions.close()]);
  }

  async #sendProbe(text: string): Promise<void> {
    if (this.#probeName === undefined || !this.publisher.isReady) throw isAway();
    const message = `${String.fromCharCode(PROBE_MARK)}${text}`;
    await this.publisher.publish(this.#probeName, message, PLAIN_SETTLEMENT);
  }

  #receive(name: Buffer, message: Buffer, partition: number): void {
    if (message[0] === PROBE_MARK) this.#probe.heard(message.toString('latin1', 1));
    else this.events.message(name, message, partition);
  }

  #recycle(): void {
    this.commands.recycle();
    this.subscriptions.recycle();
  }
}
