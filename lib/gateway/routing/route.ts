import type { IncomingMessage } from 'node:http';
import type { Connection } from '../../connections/connection.js';
import type { Disconnection } from '../../connections/connection-observer.js';
import type { AnyContract } from '../../contract/contract.js';
import type { HandlerSource } from '../../messages/message-dispatcher.js';
import type { GatewayInstance } from './gateway-instance.js';
import { GatewayPath } from './gateway-path.js';

/** One gateway class on a path. */
export interface RouteGateway {
  readonly instance: GatewayInstance;
  readonly contract: AnyContract;
  /** Whether it is for connections with a user alone. */
  readonly authenticated: boolean;
}

/** The handler of one message type. */
export interface RouteHandler {
  readonly source: HandlerSource;
  /** What a message takes of its sender's rate limit. */
  readonly cost: number;
}

/** For a gateway that looks at a user's permissions again after its token was refreshed; a throw closes the connection. */
export interface OnGatewayRefresh {
  handleRefresh(connection: Connection): unknown;
}

/** The methods of a gateway class that are called when connections come, refresh their token, and go. */
interface Hooks extends Partial<OnGatewayRefresh> {
  handleConnection?(connection: Connection, request: IncomingMessage): unknown;
  handleDisconnect?(connection: Connection, disconnection: Disconnection): unknown;
}

/** Everything behind one path: its gateways and the one handler of each message type. */
export class Route {
  readonly path: GatewayPath;
  readonly gateways: RouteGateway[] = [];
  readonly handlers = new Map<string, RouteHandler>();
  readonly #connected = new WeakMap<Connection, RouteGateway[]>();

  constructor(path: string) {
    this.path = new GatewayPath(path);
  }

  /** Whether every connection here has a user; all gateways of a path agree. */
  get authenticated(): boolean {
    return this.gateways.some((gateway) => gateway.authenticated);
  }

  /** Runs each gateway's `handleConnection` in turn; the first that throws ends it. */
  async connect(connection: Connection, request: IncomingMessage): Promise<void> {
    for (const gateway of this.gateways) {
      if (!gateway.instance.hasHook('handleConnection') && !gateway.instance.hasHook('handleDisconnect'))
        continue;
      const hooks = (await gateway.instance.of(connection)) as Hooks;
      await hooks.handleConnection?.(connection, request);
      if (hooks.handleDisconnect !== undefined) this.#remember(connection, gateway);
    }
  }

  /** Runs each gateway's `handleRefresh`: the user is the same, what it may do can have changed. */
  async refresh(connection: Connection): Promise<void> {
    for (const { instance } of this.gateways) {
      if (!instance.hasHook('handleRefresh')) continue;
      const hooks = (await instance.of(connection)) as Hooks;
      await hooks.handleRefresh?.(connection);
    }
  }

  /** Runs `handleDisconnect` of the gateways that `connect` got through; resolves with what they threw. */
  async disconnect(connection: Connection, disconnection: Disconnection): Promise<unknown[]> {
    const gateways = this.#connected.get(connection);
    if (gateways === undefined) return [];
    this.#connected.delete(connection);
    const failures: unknown[] = [];
    for (const gateway of gateways) {
      try {
        const hooks = (await gateway.instance.of(connection)) as Hooks;
        await hooks.handleDisconnect?.(connection, disconnection);
      } catch (error) {
        failures.push(error);
      }
    }
    return failures;
  }

  #remember(connection: Connection, gateway: RouteGateway): void {
    const connected = this.#connected.get(connection);
    if (connected === undefined) this.#connected.set(connection, [gateway]);
    else connected.push(gateway);
  }
}
