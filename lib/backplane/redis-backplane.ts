import type { LoggerService } from '@nestjs/common';
import type { BackplaneMetrics } from '../metrics/backplane-metrics.js';
import type { Backplane, BackplaneListener, PublishOutcome } from './backplane.js';
import { BackplaneError } from './backplane-error.js';
import type { Publication } from './publication.js';
import { COMMAND_TIMEOUT_MS, RedisClients, type RedisConfiguration } from './redis-client.js';
import { RedisCodec } from './redis-codec.js';
import { RedisNames } from './redis-names.js';
import { PROBE, RedisProbe } from './redis-probe.js';
import { SingleRedis, type RedisTopology } from './redis-topology.js';

export interface RedisBackplaneSettings {
  readonly redis: RedisConfiguration;
  /** Stands before every name in Redis. */
  readonly prefix: string;
  readonly nodeId: string;
}

// More than this are not answered yet: Redis is slow, and queueing would only hide it.
const MAX_IN_FLIGHT = 10_000;

/**
 * The backplane over Redis pub/sub: one channel for each user, room and node, so that Redis' own subscription table
 * decides which nodes a message goes to and forgets a node that dies.
 */
export class RedisBackplane implements Backplane {
  readonly #clients: RedisClients;
  readonly #codec: RedisCodec;
  readonly #names: RedisNames;
  readonly #probe: RedisProbe;
  readonly #topology: RedisTopology;
  readonly #subscribed = new Set<string>();
  #listener: BackplaneListener | undefined;
  #inFlight = 0;

  constructor(
    private readonly settings: RedisBackplaneSettings,
    private readonly metrics: BackplaneMetrics,
    private readonly logger: LoggerService,
  ) {
    const onError = (error: Error) => this.#failed(error);
    this.#clients = new RedisClients(settings.redis, onError);
    this.#codec = new RedisCodec(settings.nodeId);
    this.#names = new RedisNames(settings.prefix);
    const events = {
      message: (message: Buffer) => this.#receive(message),
      resubscribed: (channels: number, durationMs: number) => {
        this.metrics.resubscriptions.add();
        this.#probe.hurry();
        this.logger.log(`redis: ${channels} channels subscribed in ${Math.round(durationMs)} ms`);
      },
      failed: onError,
    };
    this.#topology = new SingleRedis(this.#clients, events, onError, () => this.#probe.hurry());
    this.#probe = new RedisProbe(
      { send: (text) => this.#sendProbe(text), recycle: () => this.#topology.recycle() },
      PROBE,
      (state) => this.#become(state),
      (seconds) => this.metrics.roundTrip.observe(seconds),
    );
    metrics.observe(
      () => this.#topology.subscriptions.wanted,
      () => this.#probe.state === 'up',
    );
  }

  async start(listener: BackplaneListener): Promise<void> {
    this.#listener = listener;
    await this.#topology.start();
    const subscribed = this.#subscribeProbe();
    // Redis may be away while the app boots; the node then serves its own clients and says so in its health.
    if (this.#topology.isReady) await subscribed;
    await this.#probe.start();
  }

  subscribe(channel: string): Promise<void> | undefined {
    this.#subscribed.add(channel);
    return this.#topology.subscribe(this.#names.channel(channel));
  }

  unsubscribe(channel: string): void {
    this.#subscribed.delete(channel);
    this.#topology.unsubscribe(this.#names.channel(channel));
  }

  async publish(channel: string, publication: Publication): Promise<PublishOutcome> {
    if (!this.#topology.isReady || this.#probe.state === 'down') {
      throw this.#refused('unavailable', 'Redis is away.');
    }
    if (this.#inFlight >= MAX_IN_FLIGHT) {
      throw this.#refused('overloaded', `Redis has not answered ${MAX_IN_FLIGHT} publications.`);
    }
    const isHeardHere = this.#subscribed.has(channel);
    this.#inFlight++;
    try {
      const receivers = await this.#topology.publish(
        this.#names.channel(channel),
        this.#codec.encode(publication),
      );
      this.metrics.published.add('ok');
      return { nodes: Math.max(0, receivers - (isHeardHere ? 1 : 0)) };
    } catch (error) {
      const { reason, message } = explain(error as Error);
      throw this.#refused(reason, message, error);
    } finally {
      this.#inFlight--;
    }
  }

  async stop(): Promise<void> {
    this.#probe.stop();
    await this.#topology.stop();
    this.#listener = undefined;
  }

  #receive(message: Buffer): void {
    if (this.#codec.isOwn(message)) return;
    if (message[0] === PROBE_MARK) {
      this.#probe.heard(message.toString('latin1', 1));
      return;
    }
    const publication = this.#codec.decode(message);
    this.metrics.received.add(publication === undefined ? 'unreadable' : 'ok');
    if (publication !== undefined) this.#listener?.receive(publication);
  }

  async #subscribeProbe(): Promise<void> {
    try {
      await this.#topology.subscribe(this.#names.probe(this.settings.nodeId));
    } catch (error) {
      this.#failed(error as Error);
    }
  }

  async #sendProbe(text: string): Promise<void> {
    if (!this.#topology.isReady) return;
    const name = this.#names.probe(this.settings.nodeId);
    await this.#topology.publish(name, `${String.fromCharCode(PROBE_MARK)}${text}`);
  }

  #become(state: 'up' | 'down'): void {
    if (state === 'up') this.logger.log('redis: up');
    else this.logger.error('redis: down: other nodes cannot be reached, this one serves its own clients');
    this.#listener?.stateChanged(state);
  }

  #refused(reason: BackplaneError['reason'], message: string, cause?: unknown): BackplaneError {
    this.metrics.published.add(reason);
    return new BackplaneError(reason, message, { cause });
  }

  #failed(error: Error): void {
    this.metrics.failures.add();
    this.logger.warn(`redis: ${error.message}`);
  }
}

// No node id begins with it.
const PROBE_MARK = 0x01;

function explain(error: Error): { reason: BackplaneError['reason']; message: string } {
  const { message } = error;
  if (/^(NOPERM|NOAUTH|WRONGPASS)/.test(message)) {
    return { reason: 'refused', message: 'Redis does not let this node publish: check its ACL.' };
  }
  if (message === 'Command timed out') {
    return { reason: 'timeout', message: `Redis did not answer within ${COMMAND_TIMEOUT_MS} ms.` };
  }
  if (/^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|Stream isn't writeable)/.test(message)) {
    return { reason: 'unavailable', message: 'Redis is away.' };
  }
  // The connection broke under a command: whether Redis had run it is not known.
  return { reason: 'timeout', message: 'The connection to Redis broke.' };
}
