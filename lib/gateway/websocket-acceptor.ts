import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { LoggerService } from '@nestjs/common';
import { WebSocketServer, type Server, type ServerOptions } from 'ws';
import { SUBPROTOCOL } from '../protocol/envelope.js';
import type { Admission } from './admission/admission.js';
import { perMessageDeflate, type CompressionSettings } from './compression.js';
import type { PathParams } from '../connections/connection.js';
import { registerRealtimeServer } from './routing/gateway-claim.js';
import { pathnameOf } from './routing/gateway-path.js';
import { ConnectionSocket } from './lifecycle/connection-socket.js';
import type { Route } from './routing/route.js';
import type { Routes } from './routing/routes.js';
import type { OpenSockets } from './lifecycle/open-sockets.js';
import type { UpgradeHandler } from './upgrade-listener.js';
import { closeOf, rejectUpgrade, type UpgradeRejection } from './admission/upgrade-rejection.js';

export interface AcceptorSettings {
  readonly maxPayloadBytes: number;
  readonly maxFragments: number;
  readonly closeTimeoutMs: number;
  readonly compression: CompressionSettings | false;
  readonly rejectWith: 'http' | 'close';
}

// So many sockets at a time are opened only to say why they are closed; more are refused before they open.
const MAX_CLOSING = 1_000;

// What one message may arrive in before ws gives up on it; a client that sends a byte at a time is none of ours.
const MAX_BUFFERED_CHUNKS = 4_096;

/** The door: makes WebSockets of the upgrade requests to gateway paths that admission lets in. */
export class WebSocketAcceptor {
  readonly #server: Server<typeof ConnectionSocket>;
  #closing = 0;

  constructor(
    private readonly routes: Routes,
    private readonly admission: Admission,
    private readonly sockets: OpenSockets,
    private readonly settings: AcceptorSettings,
    private readonly logger: LoggerService,
  ) {
    this.#server = new WebSocketServer<typeof ConnectionSocket>(serverOptions(settings));
    registerRealtimeServer(this.#server);
  }

  /** What Nest calls the server of a gateway. */
  get server(): Server<typeof ConnectionSocket> {
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
        socket.destroy();
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
    const destination = { params, needsUser: route.authenticated };
    const refusal = await this.admission.judge(request, destination, ({ handshake, identity }, permit) => {
      // The sendQueue lets the 101 go at the end of this turn, in one write with `$hello` if that is ready.
      socket.cork();
      return this.#upgrade(request, socket, head, (ws) => {
        this.sockets.begin(ws, socket, route, permit, handshake, identity);
      });
    });
    if (refusal !== undefined) this.#refuse(request, socket, head, refusal);
  }

  #refuse(request: IncomingMessage, socket: Duplex, head: Buffer, refusal: UpgradeRejection): void {
    // A browser sees no HTTP status; but a page that must not connect gets no WebSocket, not even to say so.
    const mayOpen = refusal.status !== 400 && refusal.reason !== 'origin' && this.#closing < MAX_CLOSING;
    if (this.settings.rejectWith === 'http' || !mayOpen) {
      rejectUpgrade(socket, refusal);
      return;
    }
    const { code, reason } = closeOf(refusal);
    this.#upgrade(request, socket, head, (ws) => {
      this.#closing++;
      ws.on('error', () => ws.terminate());
      ws.on('close', () => this.#closing--);
      ws.close(code, reason);
    });
  }

  /** False when no WebSocket came of it. `ws` calls back at once or never. */
  #upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    use: (ws: ConnectionSocket) => void,
  ): boolean {
    if (socket.destroyed) return false;
    let isOpen = false;
    socket.off('error', destroyOnError);
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      isOpen = true;
      use(ws);
    });
    return isOpen;
  }
}

function serverOptions(settings: AcceptorSettings): ServerOptions<typeof ConnectionSocket> {
  // Some of these are documented by ws and missing in its types.
  const options: ServerOptions<typeof ConnectionSocket> & {
    closeTimeout: number;
    maxFragments: number;
    maxBufferedChunks: number;
  } = {
    noServer: true,
    WebSocket: ConnectionSocket,
    clientTracking: false,
    autoPong: false,
    maxPayload: settings.maxPayloadBytes,
    maxFragments: settings.maxFragments,
    maxBufferedChunks: MAX_BUFFERED_CHUNKS,
    closeTimeout: settings.closeTimeoutMs,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
    perMessageDeflate: perMessageDeflate(settings.compression),
  };
  return options;
}

function destroyOnError(this: Duplex): void {
  this.destroy();
}
