import { WebSocket } from 'ws';
import type { WebSocketLike } from '../../connections/send-queue.js';
import type { GatewayConnection } from './gateway-connection.js';

/**
 * A `ws` socket with its connection, so that all sockets share their listeners. `ws` also closes sockets by itself, after a
 * close frame or an invalid frame: messages sent before are written first then too.
 */
export class ConnectionSocket extends WebSocket {
  connection: GatewayConnection | undefined;

  override close(code?: number, reason?: string | Buffer): void {
    this.connection?.flush();
    super.close(code, reason);
  }
}

/** The connection of a socket that `OpenSockets` has begun. */
export function connectionOn(ws: WebSocketLike): GatewayConnection {
  return (ws as ConnectionSocket).connection as GatewayConnection;
}
