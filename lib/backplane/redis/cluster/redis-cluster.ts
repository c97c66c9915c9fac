import type { Cluster } from 'ioredis';
import { ChannelStates } from '../pubsub/channel-states.js';
import type { RedisClients } from '../client/redis-client.js';
import { ClusterMember } from './redis-cluster-member.js';
import { SlotMap, keyOf, slotOf, type Address, type SlotOwner } from './slot-map.js';
import { TopologyWatch } from './topology-watch.js';
import type { RedisConnection } from '../client/redis-connection.js';
import { unavailableError } from '../client/redis-error.js';
import { PartitionQueue } from './partition-queue.js';
import { RECEIVERS, type PublishSettlement } from '../pubsub/publish-settlement.js';
import { unlessAborted, withTimeout } from '../client/with-timeout.js';
import { SHARDED_PUBSUB } from '../pubsub/redis-pubsub.js';
import { DISCONNECTED_CLIENT, RedisSubscriber } from '../pubsub/redis-subscriber.js';
import type { RedisTopology, TopologyEvents } from '../pubsub/redis-topology.js';

// Other nodes need as long to follow a slot: more than the interval between two looks of their watches.
const MOVE_GRACE_MS = 300;
const CONNECT_TIMEOUT_MS = 5_000;
const CLOSE_TIMEOUT_MS = 1_000;
const VERIFY_TIMEOUT_MS = 500;

/** One of our partitions: its owner, and the publications to it. */
interface Partition {
  readonly probeName: string;
  readonly queue: PartitionQueue;
  owner: ClusterMember | undefined;
}

/**
 * Redis Cluster with sharded pub/sub: a shard for each master that serves some of our partitions. An owner's own view of
 * its slots is followed at once. The view of another node is followed only when the owner does not reply or was demoted,
 * since subscriptions stay with the old owner until it has learnt of a move.
 */
export class ClusterRedis implements RedisTopology {
  readonly #client: Cluster;
  readonly #members = new Map<string, ClusterMember>();
  readonly #partitions = new Map<number, Partition>();
  readonly #slotMap: SlotMap;
  readonly #watch: TopologyWatch;
  /** Keeps the channels of slots whose owner is unknown. */
  readonly #unassigned: RedisSubscriber;
  #connect: ((host: string, port: number) => RedisConnection) | undefined;
  #hasDisagreement = false;
  readonly #stopping = new AbortController();
  #state: 'up' | 'down' = 'down';

  constructor(
    private readonly given: Cluster,
    private readonly clients: RedisClients,
    probeNames: readonly string[],
    private readonly events: TopologyEvents,
  ) {
    this.#client = clients.cluster(given);
    this.#slotMap = new SlotMap(this.#client);
    this.#watch = new TopologyWatch({
      look: (attempt) => this.#look(attempt),
      isSettled: () => this.#isSettled,
    });
    this.#unassigned = new RedisSubscriber(DISCONNECTED_CLIENT, SHARDED_PUBSUB, slotOf, events);
    for (const name of probeNames) this.#partitions.set(slotOf(name), this.#newPartition(name));
  }

  get state(): 'up' | 'down' {
    return this.#state;
  }

  get subscriptions() {
    let [wanted, confirmed] = [this.#unassigned.size, 0];
    for (const { shard } of this.#members.values()) {
      wanted += shard.subscriptionCounts.wanted;
      confirmed += shard.subscriptionCounts.confirmed;
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
      partition === undefined ? Promise.reject(unavailableError()) : partition.queue.publish(name, message);
    return receivers.then(
      (count) => settlement.fulfilled(count),
      (error) => settlement.rejected(error),
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

  isWanted(name: string): boolean {
    return this.#subscriberOf(name).isWanted(name);
  }

  async received(name: string): Promise<void> {
    await this.#partitions.get(slotOf(name))?.owner?.shard.received();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#watch.stop();
    for (const { queue } of this.#partitions.values()) queue.close();
    this.#unassigned.close();
    await Promise.all([...this.#members.values()].map((member) => member.stop()));
    const isConnected = this.#client.status === 'ready';
    const ended = new Promise((resolve) => this.#client.once('end', resolve));
    this.#client.disconnect();
    // A client without a connected node emits no `end`.
    if (isConnected) await withTimeout(CLOSE_TIMEOUT_MS, ended).catch(this.events.failed);
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  get #isSettled(): boolean {
    if (this.#hasDisagreement) return false;
    for (const { owner } of this.#partitions.values()) if (owner?.shard.isHealthy !== true) return false;
    return true;
  }

  #subscriberOf(name: string) {
    return this.#partitions.get(slotOf(name))?.owner?.shard ?? this.#unassigned;
  }

  #newPartition(probeName: string): Partition {
    const partition: Partition = {
      probeName,
      owner: undefined,
      queue: new PartitionQueue({
        isReady: () => partition.owner?.canPublish ?? false,
        send: (name, message) =>
          partition.owner?.shard.publisher.publish(name, message, RECEIVERS) ??
          Promise.reject(unavailableError()),
        refused: (error) => {
          if (!this.#follow(error, partition.owner)) this.#watch.lookNow();
        },
      }),
    };
    return partition;
  }

  /** Reads the topology from one node, and follows it where the owner itself cannot be asked. */
  async #look(attempt: number): Promise<void> {
    const owners = await this.#slotMap.read(attempt, this.#partitions.keys());
    this.#hasDisagreement = false;
    const checks: Promise<void>[] = [];
    for (const [slot, reported] of owners) {
      const { owner } = this.#partitions.get(slot) as Partition;
      if (owner?.key === keyOf(reported.address)) continue;
      const canVerify = owner?.canPublish === true && !reported.replicas.has(owner.key);
      if (canVerify) checks.push(this.#verify(slot, owner, reported));
      else this.#assign(slot, reported.address);
    }
    await Promise.all(checks);
    this.#update();
  }

  /** Verifies that a slot's owner still serves it; other nodes can learn of a move before it does. */
  async #verify(slot: number, owner: ClusterMember, { address }: SlotOwner): Promise<void> {
    const { probeName } = this.#partitions.get(slot) as Partition;
    try {
      await withTimeout(VERIFY_TIMEOUT_MS, owner.shard.verifySlotOwner(probeName));
      this.#hasDisagreement = true;
    } catch (error) {
      if (!this.#follow(error as Error, owner)) this.#assign(slot, address);
    }
  }

  /** Follows a master's own view of its slots; resolves with whether one of them has moved. */
  async #readSlots(member: ClusterMember): Promise<boolean> {
    let haveMoved = false;
    try {
      const owners = await this.#slotMap.of(member.address.host, member.shard.slots(), member.slots);
      for (const [slot, { address }] of owners) {
        if (this.#partitions.get(slot)?.owner !== member || keyOf(address) === member.key) continue;
        haveMoved = true;
        this.#assign(slot, address);
      }
    } catch {
      // It does not reply; another node knows the owners.
      this.#watch.lookNow();
    }
    this.#update();
    return haveMoved;
  }

  /** A MOVED reply is authoritative. */
  #follow(error: Error, asked: ClusterMember | undefined): boolean {
    const moved = this.#slotMap.movedTo(error, asked?.address.host ?? '');
    if (moved !== undefined) this.#assign(moved.slot, moved.address);
    return moved !== undefined;
  }

  #assign(slot: number, address: Address): void {
    const partition = this.#partitions.get(slot);
    if (partition === undefined || this.#isStopped) return;
    const before = partition.owner;
    if (before?.key === keyOf(address)) return;
    const owner = this.#memberAt(address);
    const channels = (before?.shard ?? this.#unassigned).release(slot) ?? new ChannelStates();
    partition.owner = owner;
    before?.removeSlot(slot);
    owner.addSlot(slot, partition.probeName, channels);
    if (before === undefined) return;
    partition.queue.pause(MOVE_GRACE_MS);
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
      lost: () => this.#watch.lookNow(),
      slotsMayHaveMoved: () => this.#readSlots(member),
    });
    this.#members.set(key, member);
    return member;
  }

  #update(): void {
    const owners = [...this.#partitions.values()].map(({ owner }) => owner);
    // While a slot moves the state stays up: publications wait, and nearly all arrive.
    const isUp = owners.every((owner) =>
      this.#state === 'up' ? owner?.mayBeUp : owner?.shard.state === 'up',
    );
    const state = isUp ? 'up' : 'down';
    if (state === this.#state || this.#isStopped) return;
    this.#state = state;
    this.events.stateChanged(state);
  }
}
