import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import type { Backplane } from './backplane/backplane.js';
import { RedisLog } from './backplane/redis/redis-log.js';
import { Subscriptions } from './backplane/subscriptions.js';
import { ALL_CHANNEL, channelName } from './protocol/channel.js';
import { BroadcastCore } from './broadcast/broadcast-core.js';
import { newNodeId } from './connections/connection-id.js';
import { ConnectionRegistry } from './connections/connection-registry.js';
import { Admission } from './gateway/admission/admission.js';
import { AuthMessages } from './gateway/lifecycle/auth-messages.js';
import { Authentication } from './gateway/identity/authentication.js';
import { createClientIp } from './gateway/admission/client-ip.js';
import { ConnectionLifecycle } from './gateway/lifecycle/connection-lifecycle.js';
import { ConnectionLimits } from './gateway/admission/connection-limits.js';
import { Drain } from './gateway/drain/drain.js';
import { WebSocketAcceptor } from './gateway/websocket-acceptor.js';
import { FrameReceiver } from './gateway/lifecycle/frame-receiver.js';
import { ConnectionScopes } from './gateway/routing/gateway-instance.js';
import { HandshakeQueue } from './gateway/admission/handshake-queue.js';
import { Heartbeat } from './gateway/lifecycle/heartbeat.js';
import { OriginPolicy } from './gateway/admission/origin-policy.js';
import { RateLimiter } from './gateway/lifecycle/rate-limiter.js';
import { RealtimeAdapter } from './gateway/realtime.adapter.js';
import { Resumption } from './gateway/lifecycle/resumption.js';
import { unknownPathLine } from './gateway/admission/upgrade-log.js';
import { Routes } from './gateway/routing/routes.js';
import { ShutdownHook } from './gateway/drain/shutdown-hook.js';
import { SlowClients } from './gateway/lifecycle/slow-clients.js';
import { OpenSockets } from './gateway/lifecycle/open-sockets.js';
import { TicketService } from './gateway/identity/tickets.js';
import { TokenExpiry } from './gateway/lifecycle/token-expiry.js';
import { RealtimeHealth, type HealthReport } from './health/realtime-health.js';
import { IdempotencyCache } from './messages/idempotency-cache.js';
import { Enhancers } from './messages/enhancers.js';
import { MessageDispatcher } from './messages/message-dispatcher.js';
import { ReplyStreams } from './messages/reply-streams.js';
import { RealtimeLog } from './metrics/realtime-log.js';
import { RealtimeMetrics } from './metrics/realtime-metrics.js';
import { Refusals } from './metrics/refusals.js';
import {
  createBackplane,
  describeBackplane,
  createSharedDrivers,
  type SharedDrivers,
} from './realtime.drivers.js';
import { requireOneImport } from './realtime.imports.js';
import { resolveOptions, type RealtimeOptions } from './realtime.options.js';

/** The token of the options as the app gave them. */
export const REALTIME_OPTIONS = Symbol('nestjs-realtime:options');

/** Puts the parts of this node together, and starts and stops them with the app. */
@Injectable()
export class RealtimeNode implements OnModuleInit, OnApplicationShutdown {
  readonly registry: ConnectionRegistry;
  readonly broadcast: BroadcastCore;
  readonly health: RealtimeHealth;
  readonly metrics: RealtimeMetrics;
  readonly tickets: TicketService;
  readonly #logger = new RealtimeLog(new Logger('Realtime'));
  readonly #adapter: RealtimeAdapter;
  readonly #backplane: Backplane;
  readonly #backplaneName: string;
  readonly #drain: Drain;
  readonly #heartbeat: Heartbeat | undefined;
  readonly #routes = new Routes();
  readonly #scopes: ConnectionScopes;
  readonly #shared: SharedDrivers;
  readonly #subscriptions: Subscriptions;
  #isStarted = false;
  #backplaneState: HealthReport['status'] & ('up' | 'down') = 'down';

  constructor(
    private readonly config: ApplicationConfig,
    private readonly modules: ModulesContainer,
    moduleRef: ModuleRef,
    host: HttpAdapterHost,
    shutdown: ShutdownHook,
    @Inject(REALTIME_OPTIONS) private readonly given: RealtimeOptions,
  ) {
    requireOneImport(modules);
    const logger = this.#logger;
    const options = resolveOptions(given);
    const nodeId = newNodeId();

    // What operators see
    const metrics = new RealtimeMetrics({
      connections: () => registry.size,
      users: () => registry.counts.users,
      rooms: () => registry.counts.rooms,
      unauthenticated: () => limits.unauthenticated,
      handshakesWaiting: () => queue.waiting,
      draining: () => this.#drain.isDraining,
    });
    const refusals = new Refusals(metrics, logger);
    this.metrics = metrics;
    this.health = new RealtimeHealth(() => ({
      status: this.#status,
      node: nodeId,
      connections: registry.size,
      pendingSubscriptions: this.#subscriptions.pending,
    }));

    // Who is connected, and how messages reach them
    const redisLog = new RedisLog(logger);
    this.#backplane = createBackplane(options, nodeId, metrics, redisLog);
    this.#backplaneName = describeBackplane(options);
    this.#subscriptions = new Subscriptions(this.#backplane, [ALL_CHANNEL, channelName('node', nodeId)]);
    this.#scopes = new ConnectionScopes(moduleRef);
    const registry = new ConnectionRegistry(this.#subscriptions);
    this.registry = registry;
    const { maxQueueBytes } = options;
    this.broadcast = new BroadcastCore(registry, this.#backplane, { nodeId, maxQueueBytes }, logger);

    // Who may come in
    this.#shared = createSharedDrivers(options, metrics, redisLog, logger);
    this.tickets = new TicketService(this.#shared.tickets);
    const authentication = new Authentication(options, this.tickets, logger);
    const limits = new ConnectionLimits({ ...options, nodeId }, this.#shared.counts);
    const queue = new HandshakeQueue(options.handshakes);
    const admission = new Admission(
      new OriginPolicy(options.origins, options.allowMissingOrigin, options.handshakeTimeoutMs),
      limits,
      queue,
      authentication,
      {
        tokenCookie: options.tokenCookie,
        offersFirstMessageAuth: options.authTimeoutMs !== false,
        clientIp: createClientIp(options.trustProxy),
      },
      metrics,
      refusals,
      logger,
    );

    // What happens to a connection from its first frame to its last
    const streams = new ReplyStreams(options.maxStreams);
    const idempotency = new IdempotencyCache(options.idempotency, registry);
    const announcement = { heartbeat: options.heartbeat || null, maxPayloadBytes: options.maxPayloadBytes };
    const lifecycle = new ConnectionLifecycle(
      registry,
      idempotency,
      streams,
      this.broadcast.requests,
      announcement,
      metrics,
      { openTimeoutMs: options.handshakeTimeoutMs, logConnections: options.logConnections },
      logger,
    );
    const expiry = new TokenExpiry();
    const auth: AuthMessages = new AuthMessages(
      authentication,
      queue,
      expiry,
      options.authTimeoutMs || 0,
      {
        first: (connection, identity, handshake) => sockets.opened(connection, identity, handshake),
        again: (connection, identity, handshake) => {
          const refreshed = lifecycle.refresh(connection, identity);
          expiry.watch(connection, handshake);
          return refreshed;
        },
      },
      refusals,
      logger,
    );
    const rateLimiter = new RateLimiter(options.rateLimit);
    const intake = new FrameReceiver(
      {
        maxDepth: options.maxJsonDepth,
        maxKeys: options.maxJsonKeys,
        maxProtocolErrors: options.maxProtocolErrors,
      },
      new MessageDispatcher(streams, idempotency, metrics, refusals, logger),
      streams,
      this.broadcast.requests,
      rateLimiter,
      (connection, frame) => auth.receive(connection, frame),
      new Resumption(registry, idempotency),
      metrics,
      refusals,
      logger,
    );
    this.#heartbeat = options.heartbeat === false ? undefined : new Heartbeat(options.heartbeat, metrics);
    const sockets = new OpenSockets(options, {
      registry,
      intake,
      auth,
      expiry,
      heartbeat: this.#heartbeat,
      lifecycle,
      rateLimiter,
      slowClients: new SlowClients(metrics, logger),
      metrics,
      logger,
    });
    this.#drain = new Drain(sockets, admission, lifecycle, options.drain, logger);
    shutdown.use(() => this.#drain.run());
    this.#adapter = new RealtimeAdapter(
      host,
      new WebSocketAcceptor(this.#routes, admission, sockets, options, logger),
      (request) => refusals.upgrade('path', () => unknownPathLine(request, this.#routes.paths)),
      this.#drain,
    );
    // Nest asks for the adapter only when the app is initialized, so that no line in main.ts is needed.
    config.setIoAdapter(this.#adapter);
  }

  async onModuleInit(): Promise<void> {
    // A microservice connected to the app with `deferInitialization` runs these hooks before the app does.
    if (this.#isStarted) return;
    this.#adapter.requireInstalled(this.config.getIoAdapter());
    this.#routes.discover(this.modules, new Enhancers(this.modules, this.config), this.#scopes);
    this.#routes.requireAuthenticate(this.given.authenticate !== undefined);
    for (const { path, gateways } of this.#routes.all) {
      for (const { contract } of gateways) this.broadcast.serverMessages.register(path.path, contract);
    }
    for (const warning of this.#routes.unlisted()) this.#logger.warn(warning);
    this.#logger.log(`Realtime backplane: ${this.#backplaneName}`);
    await this.#shared.start();
    await this.#backplane.start({
      receive: (channel, publication) => this.broadcast.publications.receive(channel, publication),
      stateChanged: (state) => {
        this.#backplaneState = state;
        this.#subscriptions.stateChanged(state);
      },
      interrupted: () => {},
    });
    await this.#subscriptions.start();
    this.#isStarted = true;
  }

  async onApplicationShutdown(): Promise<void> {
    this.#isStarted = false;
    this.#heartbeat?.stop();
    this.broadcast.close();
    this.#subscriptions.stop();
    await Promise.all([this.#shared.stop(), this.#backplane.stop()]);
  }

  get #status(): HealthReport['status'] {
    if (this.#drain.isDraining) return 'draining';
    return this.#isStarted ? this.#backplaneState : 'down';
  }
}
