import {
  ConfigurableModuleBuilder,
  Global,
  Inject,
  Injectable,
  Logger,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import type { Backplane } from './backplane/backplane.js';
import { MemoryBackplane } from './backplane/memory-backplane.js';
import { Subscriptions } from './backplane/subscriptions.js';
import { Broadcaster } from './broadcast/broadcaster.js';
import { ClientRequests } from './broadcast/client-requests.js';
import { LocalDelivery } from './broadcast/local-delivery.js';
import { RemoteDelivery } from './broadcast/remote-delivery.js';
import { ServerMessages } from './broadcast/server-messages.js';
import { newNodeId } from './connections/connection-id.js';
import { ConnectionRegistry } from './connections/connection-registry.js';
import { Authentication } from './gateway/authentication.js';
import { ConnectionLifecycle } from './gateway/connection-lifecycle.js';
import { Drain } from './gateway/drain.js';
import { Entrance } from './gateway/entrance.js';
import { FirstMessageAuth } from './gateway/first-message-auth.js';
import { FrameIntake } from './gateway/frame-intake.js';
import { ConnectionScopes } from './gateway/gateway-instance.js';
import { RealtimeAdapter } from './gateway/realtime.adapter.js';
import { Routes } from './gateway/routes.js';
import { SocketSessions } from './gateway/socket-sessions.js';
import { Enhancers } from './messages/enhancers.js';
import { MessageDispatcher } from './messages/message-dispatcher.js';
import { ReplyStreams } from './messages/reply-streams.js';
import { resolveOptions, type RealtimeOptions } from './realtime.options.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<RealtimeOptions>()
  .setClassMethodName('forRoot')
  .build();

/** Puts the parts of this node together, and starts and stops them with the app. */
@Injectable()
export class RealtimeNode implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly registry: ConnectionRegistry;
  readonly broadcaster: Broadcaster;
  readonly #logger = new Logger('Realtime');
  readonly #adapter: RealtimeAdapter;
  readonly #backplane: Backplane;
  readonly #drain: Drain;
  readonly #remote: RemoteDelivery;
  readonly #requests = new ClientRequests();
  readonly #routes = new Routes();
  readonly #scopes: ConnectionScopes;
  readonly #serverMessages = new ServerMessages();
  readonly #subscriptions: Subscriptions;

  constructor(
    private readonly config: ApplicationConfig,
    private readonly modules: ModulesContainer,
    moduleRef: ModuleRef,
    host: HttpAdapterHost,
    @Inject(MODULE_OPTIONS_TOKEN) given: RealtimeOptions,
  ) {
    const logger = this.#logger;
    const options = resolveOptions(given);
    const nodeId = newNodeId();
    this.#backplane = options.backplane ?? new MemoryBackplane();
    this.#subscriptions = new Subscriptions(this.#backplane, nodeId);
    this.#scopes = new ConnectionScopes(moduleRef);
    this.registry = new ConnectionRegistry(this.#subscriptions);

    const delivery = new LocalDelivery(this.registry, this.#serverMessages);
    this.#remote = new RemoteDelivery(delivery, (error) => logger.error(error));
    this.broadcaster = new Broadcaster(delivery, this.#serverMessages, this.#requests, this.#backplane, nodeId);

    const streams = new ReplyStreams();
    const announcement = { heartbeat: null, maxPayloadBytes: options.maxPayloadBytes };
    const lifecycle = new ConnectionLifecycle(this.registry, streams, this.#requests, announcement, logger);
    const authentication = new Authentication(options.authenticate);
    const firstMessageAuth = new FirstMessageAuth(
      authentication,
      options.authTimeoutMs,
      (connection, identity, { request }) => lifecycle.open(connection, identity, request),
      logger,
    );
    const intake = new FrameIntake(
      { maxDepth: options.maxJsonDepth, maxKeys: options.maxJsonKeys, maxProtocolErrors: options.maxProtocolErrors },
      new MessageDispatcher(streams, logger),
      streams,
      this.#requests,
      (connection, frame) => firstMessageAuth.receive(connection, frame),
      logger,
    );
    const sockets = new SocketSessions(
      { ...options, nodeId },
      this.registry,
      intake,
      firstMessageAuth,
      lifecycle,
      logger,
    );
    const entrance = new Entrance(
      this.#routes,
      authentication,
      sockets,
      { ...options, offersFirstMessageAuth: firstMessageAuth.isOffered },
      logger,
    );
    this.#drain = new Drain(sockets, lifecycle, options.drainTimeoutMs);
    this.#adapter = new RealtimeAdapter(host, entrance);
    // Nest asks for the adapter only when the app is initialized, so that no line in main.ts is needed.
    config.setIoAdapter(this.#adapter);
  }

  async onModuleInit(): Promise<void> {
    const adapter: unknown = this.config.getIoAdapter();
    if (adapter !== this.#adapter) {
      const name = (adapter as object | null)?.constructor.name ?? 'nothing';
      throw new Error(
        `RealtimeModule installs its own WebSocket adapter, but app.useWebSocketAdapter() replaced it by ${name}: ` +
          'remove that call; plain @WebSocketGateway classes keep working.',
      );
    }
    this.#routes.discover(this.modules, new Enhancers(this.modules, this.config), this.#scopes);
    for (const { path, gateways } of this.#routes.all) {
      for (const { contract } of gateways) this.#serverMessages.register(path.path, contract);
    }
    await this.#backplane.start((publication) => this.#remote.receive(publication));
    await this.#subscriptions.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.#drain.run();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#requests.close();
    await this.#backplane.stop();
  }
}

const PROVIDERS: Provider[] = [
  RealtimeNode,
  { provide: ConnectionRegistry, inject: [RealtimeNode], useFactory: (node: RealtimeNode) => node.registry },
  { provide: Broadcaster, inject: [RealtimeNode], useFactory: (node: RealtimeNode) => node.broadcaster },
];

/** Importing it once, in the root module, makes `Broadcaster` and `ConnectionRegistry` injectable everywhere. */
@Global()
@Module({ providers: PROVIDERS, exports: [ConnectionRegistry, Broadcaster] })
export class RealtimeModule extends ConfigurableModuleClass {
  static override forRoot(options: RealtimeOptions = {}): DynamicModule {
    return super.forRoot(options);
  }
}
