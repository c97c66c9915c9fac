import { Injectable, Module, type OnModuleDestroy } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';

/** Runs the drain before any other module of the app is destroyed. */
@Injectable()
export class ShutdownHook implements OnModuleDestroy {
  #drain: (() => Promise<void>) | undefined;

  constructor(modules: ModulesContainer) {
    // Nest awaits `onModuleDestroy` module by module in the order of their distance from the root module, which has 0:
    // with a smaller one this module comes before all others, wherever it is imported.
    for (const module of modules.values()) {
      if (module.metatype === ShutdownModule) module.distance = -1;
    }
  }

  use(drain: () => Promise<void>): void {
    this.#drain = drain;
  }

  async onModuleDestroy(): Promise<void> {
    await this.#drain?.();
  }
}

@Module({ providers: [ShutdownHook], exports: [ShutdownHook] })
export class ShutdownModule {}
