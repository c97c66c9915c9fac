import {
  ConfigurableModuleBuilder,
  Global,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { Backplane } from './backplane/backplane.js';
import { RedisLog } from './backplane/redis/redis-log.js';
import { Subscriptions } from './backplane/subscriptions.js';
import { channelName } from './protocol/channel.js';
import { BroadcastCore } from './broadcast/broadcast-core.js';
import { Broadcaster } from './broadcast/broadcaster.js';
import { newNodeId } from './connections/connection-id.js';
import { ConnectionRegistry } from './connections/connection-registry.js';
import type { AnyContract } from './contract/contract.js';
import { RealtimeHealth } from './health/realtime-health.js';
import { RealtimeLog } from './metrics/realtime-log.js';
import { RealtimeMetrics } from './metrics/realtime-metrics.js';
import { createBackplane, describeBackplane } from './realtime.drivers.js';
import { described, refuseUnknownOption } from './option-check.js';
import { REALTIME_IMPORT, requireOneImport } from './realtime.imports.js';
import { resolveOptions, type RealtimeOptions } from './realtime.options.js';

/** The options of `RealtimeModule.forEmitter()`. */
export interface EmitterOptions extends Pick<RealtimeOptions, 'redis' | 'redisPrefix' | 'backplane'> {
  /** The contracts of the messages this process sends; a type that none of them knows is refused. */
  readonly contracts: readonly AnyContract[];
}

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: EMITTER_OPTIONS } =
  new ConfigurableModuleBuilder<EmitterOptions>().setClassMethodName('forEmitter').build();

const NO_SUBSCRIPTIONS = { ready: () => undefined, release: () => {}, isPending: () => false };

/** A node without sockets: it sends, and subscribes only to its own channel, for the replies of other nodes. */
@Injectable()
export class RealtimeEmitter implements OnModuleInit, OnApplicationShutdown {
  readonly broadcast: BroadcastCore;
  readonly health: RealtimeHealth;
  readonly metrics = new RealtimeMetrics();
  readonly #backplane: Backplane;
  readonly #backplaneName: string;
  readonly #logger = new RealtimeLog(new Logger('Realtime'));
  readonly #nodeId = newNodeId();
  readonly #subscriptions: Subscriptions;
  #state: 'up' | 'down' = 'down';

  constructor(modules: ModulesContainer, @Inject(EMITTER_OPTIONS) emitterOptions: EmitterOptions) {
    requireOneImport(modules);
    const { contracts, ...given } = emitterOptionsOf(emitterOptions);
    const options = resolveOptions(given);
    if (options.redis === undefined && options.backplane === undefined) {
      throw new Error(
        'RealtimeModule.forEmitter() expected the option redis, such as process.env.REDIS_URL, got none: ' +
          'without it this process reaches no client.',
      );
    }
    this.#backplane = createBackplane(options, this.#nodeId, this.metrics, new RedisLog(this.#logger));
    this.#backplaneName = describeBackplane(options);
    this.#subscriptions = new Subscriptions(this.#backplane, [channelName('node', this.#nodeId)]);
    this.broadcast = new BroadcastCore(
      new ConnectionRegistry(NO_SUBSCRIPTIONS),
      this.#backplane,
      { nodeId: this.#nodeId, maxQueueBytes: options.maxQueueBytes },
      this.#logger,
    );
    for (const contract of contracts) this.broadcast.serverMessages.register('', contract);
    this.health = new RealtimeHealth(() => ({
      status: this.#state,
      node: this.#nodeId,
      connections: 0,
      pendingSubscriptions: this.#subscriptions.pending,
    }));
  }

  async onModuleInit(): Promise<void> {
    this.#logger.log(`Realtime backplane: ${this.#backplaneName}`);
    await this.#backplane.start({
      receive: (channel, publication) => this.broadcast.publications.receive(channel, publication),
      stateChanged: (state) => {
        this.#state = state;
        this.#subscriptions.stateChanged(state);
      },
      interrupted: () => {},
    });
    await this.#subscriptions.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#state = 'down';
    this.broadcast.close();
    this.#subscriptions.stop();
    await this.#backplane.stop();
  }
}

/** `RealtimeModule.forEmitter()`: the `Broadcaster` for a worker or a cron job. */
@Global()
@Module({
  providers: [
    RealtimeEmitter,
    { provide: REALTIME_IMPORT, useValue: 'RealtimeModule.forEmitter()' },
    {
      provide: Broadcaster,
      inject: [RealtimeEmitter],
      useFactory: (own: RealtimeEmitter) => own.broadcast.broadcaster,
    },
    { provide: RealtimeHealth, inject: [RealtimeEmitter], useFactory: (own: RealtimeEmitter) => own.health },
    {
      provide: RealtimeMetrics,
      inject: [RealtimeEmitter],
      useFactory: (own: RealtimeEmitter) => own.metrics,
    },
  ],
  exports: [Broadcaster, RealtimeHealth, RealtimeMetrics],
})
export class RealtimeEmitterModule extends ConfigurableModuleClass {}

const KNOWN: readonly string[] = ['redis', 'redisPrefix', 'backplane', 'contracts'];

/** The options of sockets would have no effect here: they are unknown. */
function emitterOptionsOf(options: EmitterOptions): EmitterOptions {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `RealtimeModule.forEmitter() expected an options object, got ${described(options)}: give it redis and contracts.`,
    );
  }
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) refuseUnknownOption(unknown, KNOWN);
  const { contracts } = options;
  if (Array.isArray(contracts) && contracts.length > 0 && contracts.every(isContract)) return options;
  throw new TypeError(
    `RealtimeModule.forEmitter() expected the option contracts, a list of what defineContract() returned, got ${described(contracts)}: ` +
      'give it the contracts of the messages that this process sends.',
  );
}

function isContract(value: unknown): boolean {
  return (value as Partial<AnyContract> | null | undefined)?.serverMessages instanceof Map;
}
