import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { SLOW_REASON } from '../../connections/connection.js';
import { CloseCode } from '../../protocol/close-codes.js';
import type { Admitted } from '../admission/admission.js';
import type { Route } from '../routing/route.js';
import type { AuthMessages } from './auth-messages.js';
import type { ConnectionLifecycle } from './connection-lifecycle.js';
import type { ConnectionLog } from './connection-log.js';
import { connectionOn, type ConnectionSocket } from './connection-socket.js';
import type { FrameReceiver } from './frame-receiver.js';
import { GatewayConnection, type ConnectionShared, type SocketObserver } from './gateway-connection.js';
import { closeCodeOfFault } from './ws-errors.js';

/** Every open socket and its connection, from the 101 to the close. */
export class OpenSockets implements Iterable<GatewayConnection> {
  readonly #open = new Set<GatewayConnection>();
  #onEmpty: (() => void) | undefined;

  constructor(
    private readonly shared: ConnectionShared,
    private readonly receiver: FrameReceiver,
    private readonly lifecycle: ConnectionLifecycle,
    private readonly auth: AuthMessages,
    private readonly observers: readonly SocketObserver[],
    private readonly log: ConnectionLog,
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

  /** Creates the connection of a new socket; without an identity it waits for `$auth`. */
  begin(ws: ConnectionSocket, socket: Duplex, route: Route, admitted: Admitted): void {
    const connection = new GatewayConnection(route, admitted, ws, socket, this.shared);
    this.#open.add(connection);
    for (const observer of this.observers) observer.accepted?.(connection);
    ws.connection = connection;
    ws.on('message', this.#onMessage)
      .on('ping', this.#onPing)
      .on('pong', this.#onPong)
      .on('close', this.#onClose)
      .on('error', this.#onError);
    const { handshake, identity } = admitted;
    if (identity === undefined) this.auth.expect(connection, handshake);
    else this.lifecycle.open(connection, identity, handshake);
  }

  readonly #onMessage = listener((connection, data: Buffer, isBinary: boolean) => {
    connection.received++;
    this.receiver.receive(connection, data, isBinary);
  });

  readonly #onPing = listener((connection, data: Buffer) => this.receiver.receivePing(connection, data));

  readonly #onPong = listener((connection) => this.receiver.receivePong(connection));

  readonly #onClose = listener((connection, code: number, reason: Buffer) => {
    this.#open.delete(connection);
    const { faultCode = code } = connection;
    // A client that is too slow for the closing handshake leaves 1006 and no reason.
    const text = faultCode === CloseCode.SLOW_CONSUMER ? SLOW_REASON : reason.toString();
    const disconnection = { code: faultCode, reason: text };
    for (const observer of this.observers) observer.closed?.(connection, disconnection);
    connection.phase = 'closed';
    if (this.#open.size === 0) this.#onEmpty?.();
  });

  // `ws` closes the socket with the right code after each of its errors, and `close` follows.
  readonly #onError = listener((connection, error: Error) => {
    connection.faultCode ??= closeCodeOfFault(error);
    this.log.socketFailed(connection, error);
  });
}

function listener<Args extends unknown[]>(handle: (connection: GatewayConnection, ...args: Args) => void) {
  return function (this: WebSocket, ...args: Args): void {
    handle(connectionOn(this), ...args);
  };
}
