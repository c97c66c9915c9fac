import { Inject, type WebSocketAdapter } from '@nestjs/common';
import { ApplicationConfig, ModuleRef, ModulesContainer } from '@nestjs/core';
import { WebSocketServer } from '@nestjs/websockets';

/**
 * The servers that RealtimeModule's adapter made: the only ones that a realtime gateway may be given. That of a plain gateway
 * is among them: `Routes` refuses both on one path, by name.
 */
const servers = new WeakSet<object>();

/** The property that Nest gives the server of a gateway to, before it binds any handler. */
const SERVER = '$realtimeServer';
/** The property that Nest injects into when it makes a gateway. */
const CONFIG = '$realtimeConfig';

/** Called for each server that RealtimeModule's adapter makes. */
export function registerRealtimeServer(server: object): void {
  servers.add(server);
}

/**
 * Makes Nest refuse to serve a realtime gateway in any other way than by RealtimeModule. Another adapter would bind its
 * handlers without `authenticate`, `origins` and limits, and without an adapter Nest would ask for socket.io and exit.
 */
export function requireRealtimeModule(target: Function): void {
  const prototype = target.prototype as object;
  Inject(ApplicationConfig)(prototype, CONFIG);
  Object.defineProperty(prototype, CONFIG, {
    configurable: true,
    set(this: object, config: ApplicationConfig) {
      if (config.getIoAdapter() === null) config.setIoAdapter(new MissingModule(nameOf(this)));
    },
  });
  WebSocketServer()(prototype, SERVER);
  Object.defineProperty(prototype, SERVER, {
    configurable: true,
    // Nest looks for such properties with `for … in`.
    enumerable: true,
    set(this: object, server: object | null) {
      // `null` is the decorator of a subclass.
      if (server === null || servers.has(server)) return;
      throw new Error(
        `${nameOf(this)} has @RealtimeGateway, but another WebSocket adapter than RealtimeModule's would serve it, without authentication and limits: ` +
          'import RealtimeModule.forRoot() in the root module, and remove app.useWebSocketAdapter(); plain @WebSocketGateway classes keep working.',
      );
    },
  });
}

/**
 * The same for gateways that Nest makes per request, into which it injects nothing at boot: it injects into their guard.
 */
export function requireRealtimeModuleByGuard(
  guard: Function,
  isGateway: (metatype: object) => boolean,
): void {
  const prototype = guard.prototype as object;
  Inject(ModuleRef)(prototype, CONFIG);
  Object.defineProperty(prototype, CONFIG, {
    configurable: true,
    set(moduleRef: ModuleRef) {
      const config = moduleRef.get(ApplicationConfig, { strict: false });
      if (config.getIoAdapter() !== null) return;
      for (const { providers } of moduleRef.get(ModulesContainer, { strict: false }).values()) {
        for (const { metatype, name } of providers.values()) {
          if (typeof metatype === 'function' && isGateway(metatype)) {
            config.setIoAdapter(new MissingModule(String(name)));
            return;
          }
        }
      }
    },
  });
}

function nameOf(instance: object): string {
  return instance.constructor.name;
}

/** Stands where RealtimeModule or `useWebSocketAdapter` put an adapter; used only if neither did. */
class MissingModule implements WebSocketAdapter {
  constructor(private readonly gateway: string) {}

  create(): never {
    throw new Error(
      `${this.gateway} has @RealtimeGateway, but no module imports RealtimeModule: add RealtimeModule.forRoot() to the imports of the root module.`,
    );
  }

  bindClientConnect(): void {}

  bindMessageHandlers(): void {}

  close(): void {}

  async dispose(): Promise<void> {}
}
