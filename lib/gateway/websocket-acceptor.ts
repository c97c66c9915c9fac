import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { LoggerService } from '@nestjs/common';
import { WebSocketServer, type Server, type ServerOptions } from 'ws';
import { SUBPROTOCOL } from '../protocol/envelope.js';
import type { Admission, Admitted, Destination } from './admission/admission.js';
import { perMessageDeflate, type CompressionSettings } from './compression.js';
import { registerRealtimeServer } from './routing/gateway-claim.js';
import { pathnameOf } from './routing/gateway-path.js';
import { ConnectionSocket } from './lifecycle/connection-socket.js';
import type { Route } from './routing/route.js';
import type { Routes } from './routing/routes.js';
import type { OpenSockets } from './lifecycle/open-sockets.js';
import type { UpgradeHandler } from './upgrade-listener.js';
import { closeForRejection, rejectUpgrade, type UpgradeRejection } from './admission/upgrade-rejection.js';

export interface AcceptorSettings {
  readonly maxPayloadBytes: number;
  readonly maxFragments: number;
  readonly closeTimeoutMs: number;
  readonly compression: CompressionSettings | false;
  readonly rejectWith: 'http' | 'close';
}

export const ACCEPTOR_DEFAULTS: AcceptorSettings = {
  maxPayloadBytes: 65_536,
  maxFragments: 64,
  closeTimeoutMs: 5_000,
  compression: false,
  rejectWith: 'http',
};

// Sockets that are open at a time only to send their close code; further requests are refused with an HTTP status.
const MAX_CLOSING = 1_000;

// Limits TCP chunks buffered per message, against byte-at-a-time senders.
const MAX_BUFFERED_CHUNKS = 4_096;

/** Completes the WebSocket handshake for admitted upgrade requests. */
export class WebSocketAcceptor implements UpgradeHandler {
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

  /** The server that Nest gets for each gateway. */
  get server(): Server<typeof ConnectionSocket> {
    return this.#server;
  }

  /** Serves the upgrades of gateway paths. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const pathname = pathnameOf(request.url);
    const found = pathname === undefined ? undefined : this.routes.match(pathname);
    if (found === undefined) return false;
    socket.on('error', destroyOnError);
    const destination = { params: found.params, needsUser: found.route.authenticated };
    this.#accept(request, socket, head, found.route, destination).catch((error: unknown) => {
      this.logger.error(error);
      socket.destroy();
    });
    return true;
  }

  async #accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    route: Route,
    destination: Destination,
  ): Promise<void> {
    const admitted = await this.admission.admit(request, destination);
    // Nothing awaits from here to the open socket: no other request comes in between.
    const confirmed = admitted.ok ? this.admission.confirm(request, admitted) : admitted;
    if (confirmed.ok) this.#begin(request, socket, head, route, confirmed);
    else this.#reject(request, socket, head, confirmed.rejection);
  }

  #begin(request: IncomingMessage, socket: Duplex, head: Buffer, route: Route, admitted: Admitted): void {
    let ws: ConnectionSocket | undefined;
    try {
      // The send queue writes the 101 at the end of this turn, together with `$hello` if that is ready.
      socket.cork();
      ws = this.#upgrade(request, socket, head);
      if (ws !== undefined) this.sockets.begin(ws, socket, route, admitted);
    } finally {
      // From `begin` on the permit is released with the connection.
      if (ws?.connection === undefined) admitted.permit.release();
    }
  }

  #reject(request: IncomingMessage, socket: Duplex, head: Buffer, rejection: UpgradeRejection): void {
    // A browser does not see an HTTP status; but a page of a forbidden origin gets no WebSocket at all.
    const mayOpen = rejection.status !== 400 && rejection.reason !== 'origin' && this.#closing < MAX_CLOSING;
    if (this.settings.rejectWith === 'http' || !mayOpen) {
      rejectUpgrade(socket, rejection);
      return;
    }
    const ws = this.#upgrade(request, socket, head);
    if (ws === undefined) return;
    const { code, reason } = closeForRejection(rejection);
    this.#closing++;
    ws.on('error', () => ws.terminate());
    ws.on('close', () => this.#closing--);
    ws.close(code, reason);
  }

  /** The WebSocket, unless the client has hung up or `ws` refuses the request. `ws` calls back at once or never. */
  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): ConnectionSocket | undefined {
    if (socket.destroyed) return undefined;
    let opened: ConnectionSocket | undefined;
    socket.off('error', destroyOnError);
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      opened = ws;
    });
    return opened;
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
