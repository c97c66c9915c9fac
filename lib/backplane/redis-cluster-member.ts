import type { RedisChannels } from './redis-channels.js';
import { keyOf, type Address } from './redis-cluster-view.js';
import type { RedisConnection } from './redis-connection.js';
import { RedisLink, type LinkEvents } from './redis-link.js';
import { SHARDED_PUBSUB } from './redis-pubsub.js';
import { slotOf } from './redis-slots.js';

/** What a member reports besides what its link does. */
export interface MemberEvents extends Omit<LinkEvents, 'moved'> {
  /** The master says that a slot is another's. */
  disowned(error: Error): void;
}

/** A master of a cluster that serves slots of ours. */
export class ClusterMember {
  readonly key: string;
  readonly link: RedisLink;
  readonly started: Promise<void>;
  /** Slots, with the name of the channel that a probe of each goes through. */
  readonly #slots = new Map<number, string>();
  #probeSlot: number | undefined;
  #isKnocking = false;
  #shallKnock = false;

  constructor(
    readonly address: Address,
    commands: RedisConnection,
    subscriptions: RedisConnection,
    private readonly events: MemberEvents,
  ) {
    this.key = keyOf(address);
    this.link = new RedisLink(commands, subscriptions, SHARDED_PUBSUB, slotOf, {
      ...events,
      moved: () => void this.#knock(),
    });
    this.started = this.link.start().catch(events.failed);
  }

  /** Publications sent now are likely to get through. */
  get canPublish(): boolean {
    return this.link.state === 'up' && this.link.publisher.isReady;
  }

  /** It serves nothing of ours any more. */
  get isIdle(): boolean {
    return this.#slots.size === 0;
  }

  gain(slot: number, probeName: string, channels: RedisChannels): void {
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

  #electProbe(): void {
    const [slot, name] = this.#slots.entries().next().value ?? [];
    this.#probeSlot = slot;
    this.link.probeThrough(name);
  }

  /** Redis has taken subscriptions away without saying whose: asking for each slot brings the new owners to light. */
  async #knock(): Promise<void> {
    // There is a push for every channel of a slot.
    this.#shallKnock = true;
    if (this.#isKnocking) return;
    this.#isKnocking = true;
    while (this.#shallKnock) {
      this.#shallKnock = false;
      const knocks = [...this.#slots.values()].map((name) =>
        this.link.knock(name).catch((error: Error) => this.events.disowned(error)),
      );
      await Promise.all(knocks);
    }
    this.#isKnocking = false;
  }
}
