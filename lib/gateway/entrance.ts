import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { LoggerService } from '@nestjs/common';
import { WebSocketServer, type ServerOptions } from 'ws';
import type { Identity } from '../connections/connection.js';
import { SUBPROTOCOL } from '../protocol/envelope.js';
import type { Authentication } from './authentication.js';
import { pathnameOf, type PathParams } from './gateway-path.js';
import { readHandshake, type Handshake } from './handshake.js';
import type { Route } from './route.js';
import type { Routes } from './routes.js';
import type { SocketSessions } from './socket-sessions.js';
import type { UpgradeHandler } from './upgrade-listener.js';
import { refuseUpgrade } from './upgrade-refusal.js';

export interface EntranceSettings {
  readonly maxPayloadBytes: number;
  readonly closeTimeoutMs: number;
  readonly tokenCookie: string | false;
  /** Whether a client without a token may still say `$auth` once it is connected. */
  readonly offersFirstMessageAuth: boolean;
}

/** The door: decides about upgrade requests to gateway paths and makes WebSockets of those it lets in. */
export class Entrance {
  readonly #server: WebSocketServer;

  constructor(
    private readonly routes: Routes,
    private readonly authentication: Authentication,
    private readonly sockets: SocketSessions,
    private readonly settings: EntranceSettings,
    private readonly logger: LoggerService,
  ) {
    // `closeTimeout` is documented by ws and missing in its types.
    const options: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: settings.maxPayloadBytes,
      closeTimeout: settings.closeTimeoutMs,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    };
    this.#server = new WebSocketServer(options);
  }

  /** What Nest calls the server of a gateway. */
  get server(): WebSocketServer {
    return this.#server;
  }

  /** Takes a request to one of our paths. */
  claim(request: IncomingMessage): UpgradeHandler | undefined {
    const pathname = pathnameOf(request.url);
    const found = pathname === undefined ? undefined : this.routes.match(pathname);
    if (found === undefined) return undefined;
    return (_request, socket, head) => {
      socket.on('error', destroyOnError);
      this.#admit(request, socket, head, found.route, found.params).catch((error: unknown) => {
        this.logger.error(error);
        refuseUpgrade(socket, { status: 500, message: 'internal error' });
      });
    };
  }

  async #admit(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    route: Route,
    params: PathParams,
  ): Promise<void> {
    const ip = request.socket.remoteAddress ?? '';
    const handshake = readHandshake(request, params, ip, this.settings.tokenCookie);
    const verdict = await this.authentication.judge(handshake);
    // The client may have gone while the app was thinking.
    if (socket.destroyed) return;
    if (verdict.outcome === 'accepted') {
      this.#upgrade(socket, head, route, handshake, verdict.identity);
    } else if (verdict.outcome === 'failed') {
      this.logger.error(verdict.reason);
      refuseUpgrade(socket, { status: 500, message: 'internal error' });
    } else if (handshake.token === undefined && this.settings.offersFirstMessageAuth) {
      this.#upgrade(socket, head, route, handshake, undefined);
    } else {
      this.logger.debug?.(`an upgrade to ${route.path.path} from ${ip} was refused: not authenticated`);
      refuseUpgrade(socket, { status: 401, message: 'authentication is required' });
    }
  }

  #upgrade(
    socket: Duplex,
    head: Buffer,
    route: Route,
    handshake: Handshake,
    identity: Identity | undefined,
  ): void {
    socket.off('error', destroyOnError);
    this.#server.handleUpgrade(handshake.request, socket, head, (ws) => {
      this.sockets.begin(ws, socket, route, handshake, identity);
    });
  }
}

function destroyOnError(this: Duplex): void {
  this.destroy();
}
