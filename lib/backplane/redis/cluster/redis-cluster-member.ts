import type { ChannelStates } from '../pubsub/channel-states.js';
import { keyOf, type Address } from './slot-map.js';
import type { RedisConnection } from '../client/redis-connection.js';
import { RedisShard, type ShardEvents } from '../pubsub/redis-shard.js';
import { SHARDED_PUBSUB } from '../pubsub/redis-pubsub.js';
import { slotOf } from './redis-slots.js';

/** What a member reports besides what its link does. */
export interface MemberEvents extends Omit<ShardEvents, 'moved'> {
  /** Subscriptions were taken away; resolves with whether slots of this master have gone to another since. */
  disturbed(): Promise<boolean>;
}

// A new master's connections need a moment; it is not down before that.
const YOUNG_MS = 1_000;
// Subscribing everything again costs Redis something; not more often than this.
const MIN_RESTART_MS = 1_000;

/** A master of a cluster that serves slots of ours. */
export class ClusterMember {
  readonly key: string;
  readonly link: RedisShard;
  readonly started: Promise<void>;
  /** Slots, with the name of the channel that a probe of each goes through. */
  readonly #slots = new Map<number, string>();
  #probeSlot: number | undefined;
  #isAsking = false;
  #shallAsk = false;
  #isYoung = true;
  readonly #youth: NodeJS.Timeout;
  #restartedAt = -Infinity;
  #restart: NodeJS.Timeout | undefined;

  constructor(
    readonly address: Address,
    commands: RedisConnection,
    subscriptions: RedisConnection,
    private readonly events: MemberEvents,
  ) {
    this.key = keyOf(address);
    this.link = new RedisShard(commands, subscriptions, SHARDED_PUBSUB, slotOf, {
      ...events,
      moved: () => void this.#explain(),
    });
    this.started = this.link.start().catch(events.failed);
    this.#youth = setTimeout(() => {
      this.#isYoung = false;
      events.stateChanged();
    }, YOUNG_MS).unref();
  }

  /** Messages go through it, or it is too early to say that they do not. */
  get mayBeUp(): boolean {
    return this.link.state === 'up' || this.#isYoung;
  }

  /** Publications sent now are likely to get through. */
  get canPublish(): boolean {
    return this.link.state === 'up' && this.link.publisher.isReady;
  }

  get slots(): Iterable<number> {
    return this.#slots.keys();
  }

  /** It serves nothing of ours any more. */
  get isIdle(): boolean {
    return this.#slots.size === 0;
  }

  gain(slot: number, probeName: string, channels: ChannelStates): void {
    this.#slots.set(slot, probeName);
    this.link.adopt(slot, channels);
    if (this.#probeSlot === undefined) this.#electProbe();
    // The former owner's probe went through it.
    else this.link.unsubscribe(probeName);
  }

  lose(slot: number): void {
    this.#slots.delete(slot);
    if (this.#probeSlot === slot) this.#electProbe();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#youth);
    clearTimeout(this.#restart);
    await this.link.stop();
  }

  #electProbe(): void {
    const [slot, name] = this.#slots.entries().next().value ?? [];
    this.#probeSlot = slot;
    this.link.probeThrough(name);
  }

  /** Redis has taken subscriptions away without saying whose: the server itself knows who serves its slots now. */
  async #explain(): Promise<void> {
    // There is a push for every channel of a slot.
    this.#shallAsk = true;
    if (this.#isAsking) return;
    this.#isAsking = true;
    let isExplained = false;
    while (this.#shallAsk) {
      this.#shallAsk = false;
      if (await this.events.disturbed()) isExplained = true;
    }
    this.#isAsking = false;
    if (!isExplained) this.#restartSoon();
  }

  /** A slot went and came back: nobody knows which subscriptions are left. */
  #restartSoon(): void {
    if (this.#restart !== undefined) return;
    const delayMs = Math.max(0, this.#restartedAt + MIN_RESTART_MS - performance.now());
    this.#restart = setTimeout(() => {
      this.#restart = undefined;
      this.#restartedAt = performance.now();
      this.link.resubscribe();
    }, delayMs);
    this.#restart.unref();
  }
}
