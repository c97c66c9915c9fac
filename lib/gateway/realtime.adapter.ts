import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HttpAdapterHost } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import type { WebSocket, WebSocketServer } from 'ws';
import type { Drain } from './drain/drain.js';
import type { WebSocketAcceptor } from './websocket-acceptor.js';
import { registerRealtimeServer } from './routing/gateway-claim.js';
import { pathnameOf } from './routing/gateway-path.js';
import { REALTIME_PATH } from './routing/realtime-gateway.decorator.js';
import { UpgradeListener, type NotFound, type UpgradeHandler } from './upgrade-listener.js';

type PlainServer = WebSocketServer & { readonly path: string };

const APP_PORT = 0;

// How long other upgrade listeners may take to close their sockets once the app's modules are destroyed.
const OTHERS_CLOSE_MS = 1_000;

/**
 * Serves both kinds of gateway on one HTTP server: those with `@RealtimeGateway` with the acceptor, plain ones with Nest's
 * own WsAdapter, which here does not destroy the sockets of paths it does not know.
 */
export class RealtimeAdapter extends WsAdapter implements UpgradeHandler {
  #listener: UpgradeListener | undefined;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly acceptor: WebSocketAcceptor,
    private readonly onNotFound: NotFound,
    private readonly drain: Drain,
  ) {
    super();
  }

  /** Throws when `app.useWebSocketAdapter()` has put another adapter in place of this one. */
  requireInstalled(adapter: unknown): void {
    if (adapter === this) return;
    const name = (adapter as object | null)?.constructor.name ?? 'nothing';
    throw new Error(
      `RealtimeModule installs its own WebSocket adapter, but app.useWebSocketAdapter() replaced it by ${name}: ` +
        'remove that call; plain @WebSocketGateway classes keep working.',
    );
  }

  /** Serves the upgrades of plain gateways. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const pathname = pathnameOf(request.url);
    const servers = (this.wsServersRegistry.get(APP_PORT) ?? []) as PlainServer[];
    const server = servers.find(({ path }) => path === pathname);
    if (server === undefined) return false;
    server.handleUpgrade(request, socket, head, (ws: WebSocket) => server.emit('connection', ws, request));
    return true;
  }

  override create(port: number, options: Record<string, unknown> = {}): unknown {
    const server = this.#attach();
    if (REALTIME_PATH in options) return this.acceptor.server;
    // The HTTP server exists only now: this adapter is constructed before it.
    Object.assign(this, { httpServer: server });
    const plain: object = super.create(port, options);
    registerRealtimeServer(plain);
    return plain;
  }

  override bindClientConnect(server: unknown, callback: (...args: unknown[]) => void): void {
    // The lifecycle calls the hooks of realtime gateways and awaits them; Nest does not await.
    if (server !== this.acceptor.server) super.bindClientConnect(server, callback);
  }

  override async close(server: unknown): Promise<void> {
    if (server !== this.acceptor.server) await super.close(server);
  }

  override async dispose(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.detach();
    // Nest closes the HTTP server next, which waits for every socket, those of other upgrade listeners included.
    listener?.others.endWithin(Math.min(OTHERS_CLOSE_MS, this.drain.remainingMs));
    await super.dispose();
  }

  protected override ensureHttpServerExists(port: number, httpServer?: Server): Server | undefined {
    if (port !== APP_PORT || httpServer === undefined) return super.ensureHttpServerExists(port, httpServer);
    this.httpServersRegistry.set(port, httpServer);
    return httpServer;
  }

  #attach(): Server {
    const { httpAdapter } = this.host as { httpAdapter?: HttpAdapterHost['httpAdapter'] | null };
    if (httpAdapter === undefined || httpAdapter === null) {
      throw new Error(
        'RealtimeModule serves gateways by the HTTP server of the app, and NestFactory.createMicroservice() makes none: ' +
          'create the app with NestFactory.create() and add the microservice with app.connectMicroservice(), ' +
          'or import RealtimeModule.forEmitter() here and leave the gateways out.',
      );
    }
    const server = httpAdapter.getHttpServer() as Server;
    if (this.#listener === undefined) {
      this.#listener = new UpgradeListener(server, [this.acceptor, this], this.onNotFound);
      this.#listener.attach();
    }
    return server;
  }
}
