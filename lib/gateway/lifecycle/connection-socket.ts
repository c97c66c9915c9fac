import { WebSocket } from 'ws';
import type { GatewayConnection } from './gateway-connection.js';

/**
 * A `ws` socket that knows its connection, so that all of them can share their listeners. `ws` also closes sockets by
 * itself, to answer a close frame or a broken one: what was said before goes out first then too.
 */
export class ConnectionSocket extends WebSocket {
  connection: GatewayConnection | undefined;

  override close(code?: number, reason?: string | Buffer): void {
    this.connection?.flush();
    super.close(code, reason);
  }
}
