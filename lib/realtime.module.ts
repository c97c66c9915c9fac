import { ConfigurableModuleBuilder, Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { Broadcaster } from './broadcast/broadcaster.js';
import { ConnectionRegistry } from './connections/connection-registry.js';
import { ShutdownModule } from './gateway/drain/shutdown-hook.js';
import { TicketService } from './gateway/identity/tickets.js';
import { RealtimeHealth } from './health/realtime-health.js';
import { RealtimeMetrics } from './metrics/realtime-metrics.js';
import { RealtimeEmitterModule, type EmitterOptions } from './realtime.emitter.js';
import { REALTIME_IMPORT } from './realtime.imports.js';
import { REALTIME_FEATURES, type Feature } from './realtime.features.js';
import { NODE_SETUP, REALTIME_OPTIONS, RealtimeNode, type NodeSetup } from './realtime.node.js';
import type { RealtimeOptions } from './realtime.options.js';

const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<RealtimeOptions>({
  optionsInjectionToken: REALTIME_OPTIONS,
})
  .setClassMethodName('forRoot')
  .build();

const PROVIDERS: Provider[] = [
  RealtimeNode,
  // The options of the bare class in `imports`; forRoot and forRootAsync replace them.
  { provide: REALTIME_OPTIONS, useValue: {} },
  { provide: REALTIME_FEATURES, useValue: [] },
  {
    provide: NODE_SETUP,
    inject: [REALTIME_OPTIONS, REALTIME_FEATURES],
    useFactory: (given: RealtimeOptions, features: readonly Feature[]): NodeSetup => ({ given, features }),
  },
  { provide: REALTIME_IMPORT, useValue: 'RealtimeModule' },
  { provide: ConnectionRegistry, inject: [RealtimeNode], useFactory: (node: RealtimeNode) => node.registry },
  {
    provide: Broadcaster,
    inject: [RealtimeNode],
    useFactory: (node: RealtimeNode) => node.broadcast.broadcaster,
  },
  { provide: RealtimeHealth, inject: [RealtimeNode], useFactory: (node: RealtimeNode) => node.health },
  { provide: RealtimeMetrics, inject: [RealtimeNode], useFactory: (node: RealtimeNode) => node.metrics },
  { provide: TicketService, inject: [RealtimeNode], useFactory: (node: RealtimeNode) => node.tickets },
];

/**
 * Import it once, in the root module: `Broadcaster` and `ConnectionRegistry` are then injectable everywhere. Without
 * `forRoot` every option has its default.
 */
@Global()
@Module({
  imports: [ShutdownModule],
  providers: PROVIDERS,
  exports: [ConnectionRegistry, Broadcaster, RealtimeHealth, RealtimeMetrics, TicketService],
})
export class RealtimeModule extends ConfigurableModuleClass {
  /** Imports the module with options. */
  static override forRoot(options: RealtimeOptions = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** The `Broadcaster` alone, for a process without sockets: a worker, a cron job. */
  static forEmitter(options: EmitterOptions): DynamicModule {
    return RealtimeEmitterModule.forEmitter(options);
  }

  /** `forEmitter` with options from other providers. */
  static forEmitterAsync(
    options: Parameters<typeof RealtimeEmitterModule.forEmitterAsync>[0],
  ): DynamicModule {
    return RealtimeEmitterModule.forEmitterAsync(options);
  }
}
