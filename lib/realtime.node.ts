import type { IncomingMessage } from 'node:http';
import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import type { Backplane } from './backplane/backplane.js';
import { RedisLog } from './backplane/redis/redis-log.js';
import { Subscriptions } from './backplane/subscriptions.js';
import { BroadcastCore } from './broadcast/broadcast-core.js';
import { newNodeId } from './connections/connection-id.js';
import { ConnectionRegistry } from './connections/connection-registry.js';
import type { MembershipListener } from './connections/membership-listener.js';
import type { Drain } from './gateway/drain/drain.js';
import { ShutdownHook } from './gateway/drain/shutdown-hook.js';
import { TicketService } from './gateway/identity/tickets.js';
import { RealtimeAdapter } from './gateway/realtime.adapter.js';
import { ConnectionScopes } from './gateway/routing/gateway-instance.js';
import { Routes } from './gateway/routing/routes.js';
import { RealtimeHealth, type HealthReport } from './health/realtime-health.js';
import { Enhancers } from './messages/enhancers.js';
import { RealtimeLog } from './metrics/realtime-log.js';
import { RealtimeMetrics } from './metrics/realtime-metrics.js';
import { ALL_CHANNEL, channelName } from './protocol/channel.js';
import { createBackplane, createSharedDrivers, describeBackplane } from './realtime.drivers.js';
import type { Feature } from './realtime.features.js';
import { createGateway } from './realtime.gateway.js';
import { requireOneImport } from './realtime.imports.js';
import { resolveOptions, type RealtimeOptions } from './realtime.options.js';
import { Services } from './realtime.services.js';

/** The token of the options as the app gave them. */
export const REALTIME_OPTIONS = Symbol('nestjs-realtime:options');

/** @internal The token of what a node is set up with. */
export const NODE_SETUP = Symbol('nestjs-realtime:setup');

/** The options as the app gave them, and features beside the library's own. */
export interface NodeSetup {
  readonly given: RealtimeOptions;
  readonly features: readonly Feature[];
}

/** Puts the parts of this node together, in the order of the arrows, and starts and stops them with the app. */
@Injectable()
export class RealtimeNode implements OnModuleInit, OnApplicationShutdown {
  readonly registry: ConnectionRegistry;
  readonly broadcast: BroadcastCore;
  readonly health: RealtimeHealth;
  readonly metrics = new RealtimeMetrics();
  readonly tickets: TicketService;
  readonly #logger = new RealtimeLog(new Logger('Realtime'));
  readonly #adapter: RealtimeAdapter;
  readonly #drain: Drain;
  readonly #routes = new Routes();
  readonly #scopes: ConnectionScopes;
  readonly #services: Services;
  readonly #givenOptions: RealtimeOptions;
  readonly #backplaneName: string;
  #isStarted = false;
  #backplaneState: HealthReport['status'] & ('up' | 'down') = 'down';

  constructor(
    private readonly config: ApplicationConfig,
    private readonly modules: ModulesContainer,
    moduleRef: ModuleRef,
    host: HttpAdapterHost,
    shutdown: ShutdownHook,
    @Inject(NODE_SETUP) { given, features: createFeatures }: NodeSetup,
  ) {
    requireOneImport(modules);
    const logger = this.#logger;
    const { metrics } = this;
    const options = resolveOptions(given);
    const nodeId = newNodeId();
    this.#givenOptions = given;

    // The connections, and how messages reach them
    const redisLog = new RedisLog(logger);
    const backplane = createBackplane(options, nodeId, metrics, redisLog);
    const subscriptions = new Subscriptions(backplane, [ALL_CHANNEL, channelName('node', nodeId)]);
    const membershipListeners: MembershipListener[] = [];
    const registry = new ConnectionRegistry(subscriptions, membershipListeners);
    const { maxQueueBytes } = options;
    const broadcast = new BroadcastCore(registry, backplane, { nodeId, maxQueueBytes }, logger);
    const { requests } = broadcast;

    // What features add to the lists of the node
    const features = createFeatures.map((create) =>
      create({ nodeId, backplane, registry, broadcast, metrics, logger }),
    );
    for (const entries of features) {
      membershipListeners.push(...(entries.membershipListeners ?? []));
      for (const [kind, receive] of entries.publications ?? []) broadcast.publications.add(kind, receive);
    }

    // The gateway
    const shared = createSharedDrivers(options, metrics, redisLog, logger);
    const tickets = new TicketService(shared.tickets);
    const { counts } = shared;
    const routes = this.#routes;
    const base = { options, nodeId, metrics, logger, registry, requests, counts, tickets, routes, features };
    const { acceptor, upgrades, drain, heartbeat, limits, queue } = createGateway(base);
    const notFound = (request: IncomingMessage) => upgrades.unknownPath(request, routes.paths);
    this.#adapter = new RealtimeAdapter(host, acceptor, notFound, drain);
    this.#scopes = new ConnectionScopes(moduleRef);
    // Nest asks for the adapter only when the app is initialized, so that no line in main.ts is needed.
    config.setIoAdapter(this.#adapter);

    // What runs, and what operators see
    this.#services = new Services([
      shared,
      {
        start: () => this.#startBackplane(backplane, subscriptions),
        stop: () => backplane.stop(),
      },
      subscriptions,
      { stop: () => broadcast.close() },
      heartbeat,
      { drain: () => drain.run() },
      ...features.flatMap((entries) => entries.services ?? []),
    ]);
    shutdown.use(() => this.#services.drain());
    metrics.observe({
      connections: () => registry.size,
      users: () => registry.counts.users,
      rooms: () => registry.counts.rooms,
      unauthenticated: () => limits.unauthenticated,
      handshakesWaiting: () => queue.waiting,
      draining: () => drain.isDraining,
    });
    this.health = new RealtimeHealth(() => ({
      status: this.#status,
      node: nodeId,
      connections: registry.size,
      pendingSubscriptions: subscriptions.pending,
    }));
    this.registry = registry;
    this.broadcast = broadcast;
    this.tickets = tickets;
    this.#drain = drain;
    this.#backplaneName = describeBackplane(options);
  }

  async onModuleInit(): Promise<void> {
    // A microservice connected to the app with `deferInitialization` runs these hooks before the app does.
    if (this.#isStarted) return;
    this.#adapter.requireInstalled(this.config.getIoAdapter());
    this.#routes.discover(this.modules, new Enhancers(this.modules, this.config), this.#scopes);
    this.#routes.requireAuthenticate(this.#givenOptions.authenticate !== undefined);
    for (const { path, gateways } of this.#routes.all) {
      for (const { contract } of gateways) this.broadcast.serverMessages.register(path.path, contract);
    }
    for (const warning of this.#routes.unlisted()) this.#logger.warn(warning);
    this.#logger.log(`Realtime backplane: ${this.#backplaneName}`);
    await this.#services.start();
    this.#isStarted = true;
  }

  async onApplicationShutdown(): Promise<void> {
    this.#isStarted = false;
    await this.#services.stop();
  }

  #startBackplane(backplane: Backplane, subscriptions: Subscriptions): Promise<void> {
    return backplane.start({
      receive: (channel, publication) => this.broadcast.publications.receive(channel, publication),
      stateChanged: (state) => {
        this.#backplaneState = state;
        subscriptions.stateChanged(state);
      },
      interrupted: () => {},
    });
  }

  get #status(): HealthReport['status'] {
    if (this.#drain.isDraining) return 'draining';
    return this.#isStarted ? this.#backplaneState : 'down';
  }
}
