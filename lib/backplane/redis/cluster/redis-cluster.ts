import type { Cluster } from 'ioredis';
import { ChannelStates } from '../pubsub/channel-states.js';
import type { RedisClients } from '../client/redis-client.js';
import { ClusterMember } from './redis-cluster-member.js';
import { SlotMap, keyOf, type Address, type SlotOwner } from './slot-map.js';
import { TopologyWatch } from './topology-watch.js';
import type { RedisConnection } from '../client/redis-connection.js';
import { isAway } from '../client/redis-error.js';
import { PartitionQueue } from './partition-queue.js';
import { PLAIN_SETTLEMENT, type PublishSettlement } from '../pubsub/redis-publisher.js';
import { unlessAborted, withTimeout } from '../client/with-timeout.js';
import { SHARDED_PUBSUB } from '../pubsub/redis-pubsub.js';
import { slotOf } from './redis-slots.js';
import { NOWHERE, RedisSubscriber } from '../pubsub/redis-subscriber.js';
import type { RedisTopology, TopologyEvents } from '../pubsub/redis-topology.js';

// Longer than two looks of a watch are apart: so long the subscribers of other nodes may need to follow a slot.
const MOVE_GRACE_MS = 300;
const CONNECT_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 1_000;
const KNOCK_TIMEOUT_MS = 500;

/** A slot of ours: who serves it, and what waits to be published to it. */
interface Partition {
  readonly probeName: string;
  readonly lane: PartitionQueue;
  owner: ClusterMember | undefined;
}

/**
 * Redis Cluster with sharded pub/sub: a link to each master that serves partitions of ours. What an owner says about
 * its own slots is believed at once; what others say about them, only when it does not answer or was demoted, since
 * subscriptions stay with the old owner until that one has learnt of the move.
 */
export class ClusterRedis implements RedisTopology {
  readonly #client: Cluster;
  readonly #members = new Map<string, ClusterMember>();
  readonly #partitions = new Map<number, Partition>();
  readonly #view: SlotMap;
  readonly #watch: TopologyWatch;
  /** Keeps the channels of slots that nobody is known to own. */
  readonly #unassigned: RedisSubscriber;
  #connect: ((host: string, port: number) => RedisConnection) | undefined;
  #hasDoubts = false;
  readonly #stopping = new AbortController();
  #state: 'up' | 'down' = 'down';

  constructor(
    private readonly given: Cluster,
    private readonly clients: RedisClients,
    probeNames: readonly string[],
    private readonly events: TopologyEvents,
  ) {
    this.#client = clients.cluster(given);
    this.#view = new SlotMap(this.#client);
    this.#watch = new TopologyWatch({
      look: (attempt) => this.#look(attempt),
      isSettled: () => this.#isSettled,
    });
    this.#unassigned = new RedisSubscriber(NOWHERE, SHARDED_PUBSUB, slotOf, events);
    for (const name of probeNames) this.#partitions.set(slotOf(name), this.#newPartition(name));
  }

  get state(): 'up' | 'down' {
    return this.#state;
  }

  get subscriptions() {
    let [wanted, confirmed] = [this.#unassigned.size, 0];
    for (const { link } of this.#members.values()) {
      wanted += link.subscriptionCounts.wanted;
      confirmed += link.subscriptionCounts.confirmed;
    }
    return { wanted, confirmed };
  }

  async start(): Promise<void> {
    if (this.#isStopped) return;
    this.#connect = await this.clients.members(this.given);
    if (this.#isStopped) return;
    const connected = unlessAborted(this.#client.connect(), this.#stopping.signal);
    await withTimeout(CONNECT_TIMEOUT_MS, connected).catch(this.events.failed);
    await this.#watch.look();
    await Promise.all([...this.#members.values()].map(({ started }) => started));
  }

  publish<T>(name: string, message: string, settlement: PublishSettlement<T>): Promise<T> {
    const partition = this.#partitions.get(slotOf(name));
    const receivers =
      partition === undefined ? Promise.reject(isAway()) : partition.lane.publish(name, message);
    return receivers.then(
      (count) => settlement.fulfilled(count),
      (error) => settlement.failed(error),
    );
  }

  subscribe(name: string): Promise<void> | undefined {
    return this.#subscriberOf(name).subscribe(name);
  }

  unsubscribe(name: string): void {
    this.#subscriberOf(name).unsubscribe(name);
  }

  isSubscribed(name: string): boolean {
    return this.#subscriberOf(name).isSubscribed(name);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#watch.stop();
    for (const { lane } of this.#partitions.values()) lane.close();
    this.#unassigned.close();
    await Promise.all([...this.#members.values()].map((member) => member.stop()));
    const isConnected = this.#client.status === 'ready';
    const ended = new Promise((resolve) => this.#client.once('end', resolve));
    this.#client.disconnect();
    // One that has no node to part from ends without a word.
    if (isConnected) await withTimeout(CLOSE_TIMEOUT_MS, ended).catch(this.events.failed);
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  get #isSettled(): boolean {
    if (this.#hasDoubts) return false;
    for (const { owner } of this.#partitions.values()) if (owner?.link.isHealthy !== true) return false;
    return true;
  }

  #subscriberOf(name: string) {
    return this.#partitions.get(slotOf(name))?.owner?.link ?? this.#unassigned;
  }

  #newPartition(probeName: string): Partition {
    const partition: Partition = {
      probeName,
      owner: undefined,
      lane: new PartitionQueue({
        isReady: () => partition.owner?.canPublish ?? false,
        send: (name, message) =>
          partition.owner?.link.publisher.publish(name, message, PLAIN_SETTLEMENT) ??
          Promise.reject(isAway()),
        refused: (error) => {
          if (!this.#follow(error, partition.owner)) this.#watch.hurry();
        },
      }),
    };
    return partition;
  }

  /** Reads the topology from one node and believes it where nobody better can be asked. */
  async #look(attempt: number): Promise<void> {
    const view = await this.#view.read(attempt, this.#partitions.keys());
    this.#hasDoubts = false;
    const doubts: Promise<void>[] = [];
    for (const [slot, said] of view) {
      const { owner } = this.#partitions.get(slot) as Partition;
      if (owner?.key === keyOf(said.address)) continue;
      const canAnswer = owner?.canPublish === true && !said.replicas.has(owner.key);
      if (canAnswer) doubts.push(this.#resolve(slot, owner, said));
      else this.#assign(slot, said.address);
    }
    await Promise.all(doubts);
    this.#update();
  }

  /** Asks a slot's owner whether it still is; others may know of a move before it does. */
  async #resolve(slot: number, owner: ClusterMember, { address }: SlotOwner): Promise<void> {
    const { probeName } = this.#partitions.get(slot) as Partition;
    try {
      await withTimeout(KNOCK_TIMEOUT_MS, owner.link.verifySlotOwner(probeName));
      this.#hasDoubts = true;
    } catch (error) {
      if (!this.#follow(error as Error, owner)) this.#assign(slot, address);
    }
  }

  /** Believes what a master says of its own slots; resolves with whether one of them has gone. */
  async #ask(member: ClusterMember): Promise<boolean> {
    let hasLost = false;
    try {
      const said = await this.#view.of(member.address.host, member.link.slots(), member.slots);
      for (const [slot, { address }] of said) {
        if (this.#partitions.get(slot)?.owner !== member || keyOf(address) === member.key) continue;
        hasLost = true;
        this.#assign(slot, address);
      }
    } catch {
      // It answers no more, and whoever else is asked knows why.
      this.#watch.hurry();
    }
    this.#update();
    return hasLost;
  }

  /** A `MOVED` is the word of the owner itself. */
  #follow(error: Error, asked: ClusterMember | undefined): boolean {
    const moved = this.#view.movedTo(error, asked?.address.host ?? '');
    if (moved !== undefined) this.#assign(moved.slot, moved.address);
    return moved !== undefined;
  }

  #assign(slot: number, address: Address): void {
    const partition = this.#partitions.get(slot);
    if (partition === undefined || this.#isStopped) return;
    const before = partition.owner;
    if (before?.key === keyOf(address)) return;
    const owner = this.#memberAt(address);
    const channels = (before?.link ?? this.#unassigned).release(slot) ?? new ChannelStates();
    partition.owner = owner;
    before?.lose(slot);
    owner.gain(slot, partition.probeName, channels);
    if (before === undefined) return;
    partition.lane.pause(MOVE_GRACE_MS);
    if (before.isIdle) {
      this.#members.delete(before.key);
      before.stop().catch(this.events.failed);
    }
  }

  #memberAt(address: Address): ClusterMember {
    const key = keyOf(address);
    const known = this.#members.get(key);
    if (known !== undefined) return known;
    const connect = this.#connect as (host: string, port: number) => RedisConnection;
    const open = () => connect(address.host, address.port);
    const member: ClusterMember = new ClusterMember(address, open(), open(), {
      ...this.events,
      failed: (error) => {
        if (!this.#follow(error, member)) this.events.failed(error);
      },
      stateChanged: () => this.#update(),
      lost: () => this.#watch.hurry(),
      disturbed: () => this.#ask(member),
    });
    this.#members.set(key, member);
    return member;
  }

  #update(): void {
    const owners = [...this.#partitions.values()].map(({ owner }) => owner);
    // While a slot changes hands nothing is said: publications wait, and most often arrive.
    const isUp = owners.every((owner) =>
      this.#state === 'up' ? owner?.mayBeUp : owner?.link.state === 'up',
    );
    const state = isUp ? 'up' : 'down';
    if (state === this.#state || this.#isStopped) return;
    this.#state = state;
    this.events.stateChanged(state);
  }
}
