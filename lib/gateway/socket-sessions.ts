import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { LoggerService } from '@nestjs/common';
import type { WebSocket } from 'ws';
import type { Identity } from '../connections/connection.js';
import { newConnectionId } from '../connections/connection-id.js';
import type { ConnectionRegistry } from '../connections/connection-registry.js';
import { Outbox, type OutboxLimits } from '../connections/outbox.js';
import { WriteBatch } from '../connections/write-batch.js';
import type { ClientFrame } from '../protocol/envelope.js';
import type { ConnectionLifecycle } from './connection-lifecycle.js';
import type { FirstMessageAuth } from './first-message-auth.js';
import type { FrameIntake } from './frame-intake.js';
import { GatewayConnection } from './gateway-connection.js';
import type { Handshake } from './handshake.js';
import type { InboxSettings } from './inbox.js';
import type { Route } from './route.js';

const CONNECTION = Symbol('connection');

/** A `ws` socket that knows its connection, so that all of them can share their listeners. */
type OwnedSocket = WebSocket & { [CONNECTION]: GatewayConnection };

export interface SocketSettings extends OutboxLimits, InboxSettings {
  readonly nodeId: string;
}

/** Every open socket and the connection on it, from the 101 to the close. */
export class SocketSessions implements Iterable<GatewayConnection> {
  readonly #open = new Set<GatewayConnection>();
  readonly #batch = new WriteBatch();
  #onEmpty: (() => void) | undefined;

  constructor(
    private readonly settings: SocketSettings,
    private readonly registry: ConnectionRegistry,
    private readonly intake: FrameIntake,
    private readonly firstMessageAuth: FirstMessageAuth,
    private readonly lifecycle: ConnectionLifecycle,
    private readonly logger: LoggerService,
  ) {}

  get size(): number {
    return this.#open.size;
  }

  [Symbol.iterator](): Iterator<GatewayConnection> {
    return this.#open.values();
  }

  /** Resolves when the last open socket has closed. */
  emptied(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onEmpty = resolve));
  }

  /** Makes a connection of a fresh socket; without an identity it waits for `$auth`. */
  begin(ws: WebSocket, socket: Duplex, route: Route, handshake: Handshake, identity: Identity | undefined): void {
    const origin = {
      id: newConnectionId(this.settings.nodeId),
      sessionId: randomUUID(),
      path: route.path.path,
      params: handshake.params,
      ip: handshake.ip,
    };
    const outbox = new Outbox(ws, socket, this.#batch, this.settings);
    const connection = new GatewayConnection(
      origin,
      ws,
      outbox,
      this.registry,
      route,
      this.settings,
      this.#handle,
    );
    this.#open.add(connection);
    (ws as OwnedSocket)[CONNECTION] = connection;
    ws.on('message', this.#onMessage).on('close', this.#onClose).on('error', this.#onError);
    if (identity === undefined) this.firstMessageAuth.expect(connection, handshake);
    else this.lifecycle.open(connection, identity, handshake.request);
  }

  readonly #handle = (connection: GatewayConnection, frame: ClientFrame) => this.intake.handle(connection, frame);

  readonly #onMessage = listener((connection, data: Buffer, isBinary: boolean) => {
    this.intake.receive(connection, data, isBinary);
  });

  readonly #onClose = listener((connection, code: number, reason: Buffer) => {
    this.#open.delete(connection);
    this.firstMessageAuth.forget(connection);
    this.lifecycle.end(connection, { code, reason: reason.toString() });
    if (this.#open.size === 0) this.#onEmpty?.();
  });

  // `ws` closes the socket with the right code after each of its errors; `close` does the rest.
  readonly #onError = listener((connection, error: Error) => {
    this.logger.debug?.(`connection ${connection.id}: ${error.message}`);
  });
}

function listener<Args extends unknown[]>(handle: (connection: GatewayConnection, ...args: Args) => void) {
  return function (this: WebSocket, ...args: Args): void {
    handle((this as OwnedSocket)[CONNECTION], ...args);
  };
}
