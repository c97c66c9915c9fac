import type { BackplaneMetrics } from '../../metrics/backplane-metrics.js';
import type { Backplane, BackplaneListener, PublishOutcome } from '../backplane.js';
import type { Publication } from '../publication.js';
import { ChannelNames } from './channel-names.js';
import { RedisClients } from './client/redis-client.js';
import type { RedisConfiguration } from './client/redis-configuration.js';
import { ClusterRedis } from './cluster/redis-cluster.js';
import { RedisCodec } from './redis-codec.js';
import { OwnEchoes } from './own-echoes.js';
import { RedisInFlight } from './redis-in-flight.js';
import type { RedisLog } from './redis-log.js';
import { RedisNames } from './client/redis-names.js';
import { SequenceFilter } from './sequence-filter.js';
import { SingleRedis, type RedisTopology, type TopologyEvents } from './pubsub/redis-topology.js';

export interface RedisBackplaneSettings {
  readonly redis: RedisConfiguration;
  /** The beginning of every name in Redis. */
  readonly prefix: string;
  readonly nodeId: string;
}

/**
 * The backplane over Redis pub/sub. Each user, room and node has a channel, so that Redis' subscription table decides
 * which nodes get a message, and forgets a node that dies.
 */
export class RedisBackplane implements Backplane {
  readonly #codec: RedisCodec;
  readonly #channels: ChannelNames;
  readonly #sequences = new SequenceFilter();
  readonly #echoes: OwnEchoes;
  readonly #inFlight: RedisInFlight;
  readonly #topology: RedisTopology;
  #listener: BackplaneListener | undefined;

  constructor(
    settings: RedisBackplaneSettings,
    private readonly metrics: BackplaneMetrics,
    private readonly log: RedisLog,
  ) {
    this.#codec = new RedisCodec(settings.nodeId);
    const names = new RedisNames(settings.prefix);
    this.#channels = new ChannelNames(names);
    this.#topology = createTopology(settings, names, {
      message: (name, message, partition) => this.#receive(name, message, partition),
      resubscribed: (channels, durationMs) => {
        this.metrics.resubscriptions.add();
        this.log.resubscribed(channels, durationMs);
      },
      interrupted: (names) => this.#interrupted(names),
      failed: (error) => this.#failed(error),
      stateChanged: (state) => this.#become(state),
      roundTrip: (seconds) => this.metrics.roundTrip.observe(seconds),
    });
    this.#echoes = new OwnEchoes(this.#topology);
    this.#inFlight = new RedisInFlight(metrics, this.#echoes);
    metrics.observe(
      () => this.#topology.subscriptions.wanted,
      () => this.#topology.state === 'up',
    );
  }

  /** Channels wanted here and channels that Redis has confirmed, each with this node's probes. */
  get subscriptions(): { readonly wanted: number; readonly confirmed: number } {
    return this.#topology.subscriptions;
  }

  get unconfirmed(): number {
    const { wanted, confirmed } = this.subscriptions;
    return wanted - confirmed;
  }

  async start(listener: BackplaneListener): Promise<void> {
    this.#listener = listener;
    await this.#topology.start();
    // A backplane that is down from the beginning emits no change of state.
    this.log.stateChanged(this.#topology.state);
  }

  subscribe(channel: string): Promise<void> | undefined {
    return this.#topology.subscribe(this.#channels.remember(channel));
  }

  unsubscribe(channel: string): void {
    this.#topology.unsubscribe(this.#channels.forget(channel));
  }

  publish(channel: string, publication: Publication): Promise<PublishOutcome> {
    const refusal = this.#inFlight.refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    const name = this.#channels.nameOf(channel);
    let message: string;
    try {
      message = this.#codec.encode(publication);
    } catch (error) {
      return Promise.reject(error);
    }
    const { sequence } = this.#codec;
    if (!this.#topology.isSubscribed(name)) this.#echoes.expect(sequence);
    return this.#topology.publish(name, message, this.#inFlight.begin(message.length, name, sequence));
  }

  async stop(): Promise<void> {
    await this.#topology.stop();
    this.#listener = undefined;
  }

  #receive(name: Buffer, message: Buffer, partition: number): void {
    if (this.#codec.isOwn(message)) {
      if (this.#echoes.size > 0) this.#echoes.received(this.#codec.ownSequence(message));
      return;
    }
    const envelope = this.#codec.decode(message);
    if (typeof envelope === 'string') {
      this.metrics.received.add(envelope);
      return;
    }
    const isNext = this.#sequences.isNext(envelope.origin, partition, envelope.sequence);
    this.metrics.received.add(isNext ? 'ok' : 'late');
    const channel = this.#channels.channelOf(name.toString());
    if (isNext && channel !== undefined) this.#listener?.receive(channel, envelope.publication);
  }

  #interrupted(names: readonly string[]): void {
    const channels = names.flatMap((name) => this.#channels.channelOf(name) ?? []);
    if (channels.length > 0) this.#listener?.interrupted(channels);
  }

  #become(state: 'up' | 'down'): void {
    this.log.stateChanged(state);
    this.#listener?.stateChanged(state);
  }

  #failed(error: Error): void {
    this.metrics.failures.add();
    this.log.failed(error);
  }
}

function createTopology(
  { redis, nodeId }: RedisBackplaneSettings,
  names: RedisNames,
  events: TopologyEvents,
): RedisTopology {
  const clients = new RedisClients(redis, events.failed);
  const probes = names.probes(nodeId);
  const { givenCluster } = clients;
  return givenCluster === undefined
    ? new SingleRedis(clients, probes[0], events)
    : new ClusterRedis(givenCluster, clients, probes, events);
}
