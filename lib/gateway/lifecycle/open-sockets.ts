import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { LoggerService } from '@nestjs/common';
import type { WebSocket } from 'ws';
import { SLOW_REASON, type Identity } from '../../connections/connection.js';
import type { ConnectionRegistry } from '../../connections/connection-registry.js';
import { SendQueue, type SendQueueShared, type WebSocketLike } from '../../connections/send-queue.js';
import { FlushScheduler } from '../../connections/flush-scheduler.js';
import type { RealtimeMetrics } from '../../metrics/realtime-metrics.js';
import type { ClientFrame } from '../../protocol/envelope.js';
import { CloseCode } from '../../protocol/close-codes.js';
import type { AuthMessages } from './auth-messages.js';
import type { ConnectionLifecycle } from './connection-lifecycle.js';
import type { ConnectionPermit } from '../admission/connection-limits.js';
import { closeCodeOfFault } from './ws-errors.js';
import type { FrameReceiver } from './frame-receiver.js';
import { GatewayConnection } from './gateway-connection.js';
import type { Handshake } from '../identity/handshake.js';
import type { Heartbeat } from './heartbeat.js';
import { ReceiveQueue, type ReceiveQueueSettings } from '../../connections/receive-queue.js';
import type { ConnectionSocket } from './connection-socket.js';
import type { RateLimiter } from './rate-limiter.js';
import type { Route } from '../routing/route.js';
import type { SlowClients } from './slow-clients.js';
import type { TokenExpiry } from './token-expiry.js';

/** What happens on sockets, and who takes care of it. */
export interface SocketOwners {
  readonly registry: ConnectionRegistry;
  readonly intake: FrameReceiver;
  readonly auth: AuthMessages;
  readonly expiry: TokenExpiry;
  readonly heartbeat: Heartbeat | undefined;
  readonly lifecycle: ConnectionLifecycle;
  readonly rateLimiter: RateLimiter;
  readonly slowClients: SlowClients;
  readonly metrics: RealtimeMetrics;
  readonly logger: LoggerService;
}

export type SocketSettings = ReceiveQueueSettings &
  Pick<SendQueueShared, 'highWaterMarkBytes' | 'maxQueueBytes'>;

/** Every open socket and the connection on it, from the 101 to the close. */
export class OpenSockets implements Iterable<GatewayConnection> {
  readonly #open = new Set<GatewayConnection>();
  readonly #sendQueues: SendQueueShared;
  #onEmpty: (() => void) | undefined;

  constructor(
    private readonly settings: SocketSettings,
    private readonly owners: SocketOwners,
  ) {
    const { highWaterMarkBytes, maxQueueBytes } = settings;
    const { metrics, slowClients } = owners;
    const observer = {
      dropped: (ws: WebSocketLike) => slowClients.dropped(connectionOf(ws)),
      overflowed: (ws: WebSocketLike) => slowClients.overflowed(connectionOf(ws)),
    };
    this.#sendQueues = { batch: new FlushScheduler(), metrics, observer, highWaterMarkBytes, maxQueueBytes };
  }

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
  begin(
    ws: ConnectionSocket,
    socket: Duplex,
    route: Route,
    permit: ConnectionPermit,
    handshake: Handshake,
    identity: Identity | undefined,
  ): void {
    const { owners, settings } = this;
    const origin = {
      id: permit.connectionId,
      sessionId: randomUUID(),
      path: route.path.path,
      params: handshake.params,
      ip: handshake.ip,
    };
    const queues = {
      send: new SendQueue(ws, socket, this.#sendQueues),
      receive: new ReceiveQueue(ws, settings),
    };
    const allowance = owners.rateLimiter.start();
    const connection = new GatewayConnection(
      origin,
      ws,
      queues,
      owners.registry,
      route,
      permit,
      allowance,
      this.#handle,
    );
    this.#open.add(connection);
    owners.metrics.connectionsOpened.add();
    owners.heartbeat?.add(connection);
    ws.connection = connection;
    ws.on('message', this.#onMessage)
      .on('ping', this.#onPing)
      .on('pong', this.#onPong)
      .on('close', this.#onClose)
      .on('error', this.#onError);
    if (identity === undefined) owners.auth.expect(connection, handshake);
    else this.opened(connection, identity, handshake);
  }

  /** The client is known; the app may see it. */
  opened(connection: GatewayConnection, identity: Identity, handshake: Handshake): void {
    this.owners.lifecycle.open(connection, identity, handshake.request);
    this.owners.expiry.watch(connection, handshake);
  }

  readonly #handle = (connection: GatewayConnection, frame: ClientFrame) =>
    this.owners.intake.handle(connection, frame);

  readonly #onMessage = listener((connection, data: Buffer, isBinary: boolean) => {
    connection.received++;
    this.#seen(connection);
    this.owners.intake.receive(connection, data, isBinary);
  });

  readonly #onPing = listener((connection, data: Buffer) => {
    this.#seen(connection);
    this.owners.intake.receivePing(connection, data);
  });

  readonly #onPong = listener((connection) => this.#seen(connection));

  readonly #onClose = listener((connection, code: number, reason: Buffer) => {
    const { owners } = this;
    this.#open.delete(connection);
    connection.permit.leave();
    owners.heartbeat?.remove(connection);
    owners.auth.forget(connection);
    owners.expiry.forget(connection);
    const { faultCode = code } = connection;
    // A client that was too slow to answer our close frame leaves 1006 and no reason.
    const text = faultCode === CloseCode.SLOW_CONSUMER ? SLOW_REASON : reason.toString();
    owners.lifecycle.end(connection, { code: faultCode, reason: text });
    if (this.#open.size === 0) this.#onEmpty?.();
  });

  // `ws` closes the socket with the right code after each of its errors; `close` does the rest.
  readonly #onError = listener((connection, error: Error) => {
    connection.faultCode ??= closeCodeOfFault(error);
    this.owners.logger.debug?.(`connection ${connection.id}: ${error.message}`);
  });

  /** Whatever comes from the other side is a sign of life. */
  #seen(connection: GatewayConnection): void {
    const { heartbeat } = this.owners;
    if (heartbeat !== undefined) connection.seenAtTick = heartbeat.tick;
  }
}

function listener<Args extends unknown[]>(handle: (connection: GatewayConnection, ...args: Args) => void) {
  return function (this: WebSocket, ...args: Args): void {
    handle(connectionOf(this), ...args);
  };
}

function connectionOf(ws: WebSocketLike): GatewayConnection {
  return (ws as ConnectionSocket).connection as GatewayConnection;
}
