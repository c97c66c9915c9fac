import type { ChannelStates } from '../pubsub/channel-states.js';
import { keyOf, slotOf, type Address } from './slot-map.js';
import type { RedisConnection } from '../client/redis-connection.js';
import { RedisShard, type ShardEvents } from '../pubsub/redis-shard.js';
import { SHARDED_PUBSUB } from '../pubsub/redis-pubsub.js';

/** What a member reports. */
export interface MemberEvents extends Omit<ShardEvents, 'moved'> {
  /** Redis has ended subscriptions; resolves with whether slots of this master have moved since. */
  slotsMayHaveMoved(): Promise<boolean>;
}

// The connections to a new master need a moment before it counts as down.
const GRACE_MS = 1_000;
// Limits how often everything is subscribed again, which costs Redis time.
const MIN_RESTART_MS = 1_000;

/** A master of a cluster that serves some of our partitions. */
export class ClusterMember {
  readonly key: string;
  readonly shard: RedisShard;
  readonly started: Promise<void>;
  /** Its slots, each with the name of its probe's channel. */
  readonly #slots = new Map<number, string>();
  #probeSlot: number | undefined;
  #isChecking = false;
  #mustCheckAgain = false;
  #isInGrace = true;
  readonly #grace: NodeJS.Timeout;
  #restartedAt = -Infinity;
  #restart: NodeJS.Timeout | undefined;

  constructor(
    readonly address: Address,
    commands: RedisConnection,
    subscriptions: RedisConnection,
    private readonly events: MemberEvents,
  ) {
    this.key = keyOf(address);
    this.shard = new RedisShard(commands, subscriptions, SHARDED_PUBSUB, slotOf, {
      ...events,
      moved: () => void this.#checkSlots(),
    });
    this.started = this.shard.start().catch(events.failed);
    this.#grace = setTimeout(() => {
      this.#isInGrace = false;
      events.stateChanged();
    }, GRACE_MS).unref();
  }

  /** Its probes come back, or it is new. */
  get mayBeUp(): boolean {
    return this.shard.state === 'up' || this.#isInGrace;
  }

  /** Its probes come back, and the connection for commands is ready. */
  get canPublish(): boolean {
    return this.shard.state === 'up' && this.shard.publisher.isReady;
  }

  get slots(): Iterable<number> {
    return this.#slots.keys();
  }

  /** It serves none of our partitions. */
  get isIdle(): boolean {
    return this.#slots.size === 0;
  }

  addSlot(slot: number, probeName: string, channels: ChannelStates): void {
    this.#slots.set(slot, probeName);
    this.shard.adopt(slot, channels);
    if (this.#probeSlot === undefined) this.#chooseProbe();
    // The former owner sent its probes through it.
    else this.shard.unsubscribe(probeName);
  }

  removeSlot(slot: number): void {
    this.#slots.delete(slot);
    if (this.#probeSlot === slot) this.#chooseProbe();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#grace);
    clearTimeout(this.#restart);
    await this.shard.stop();
  }

  #chooseProbe(): void {
    const [slot, name] = this.#slots.entries().next().value ?? [];
    this.#probeSlot = slot;
    this.shard.probeThrough(name);
  }

  /** Redis has ended subscriptions without naming them: reads from the server which slots it still serves. */
  async #checkSlots(): Promise<void> {
    // Redis sends a push for every channel of a slot.
    this.#mustCheckAgain = true;
    if (this.#isChecking) return;
    this.#isChecking = true;
    let haveMoved = false;
    while (this.#mustCheckAgain) {
      this.#mustCheckAgain = false;
      if (await this.events.slotsMayHaveMoved()) haveMoved = true;
    }
    this.#isChecking = false;
    if (!haveMoved) this.#restartSoon();
  }

  /** A slot has moved away and back: which subscriptions are left is unknown. */
  #restartSoon(): void {
    if (this.#restart !== undefined) return;
    const delayMs = Math.max(0, this.#restartedAt + MIN_RESTART_MS - performance.now());
    this.#restart = setTimeout(() => {
      this.#restart = undefined;
      this.#restartedAt = performance.now();
      this.shard.resubscribe();
    }, delayMs);
    this.#restart.unref();
  }
}
