import { CloseCode } from '../protocol/close-codes.js';
import type { GatewayConnection } from './gateway-connection.js';
import type { Handshake } from './handshake.js';
import { KeptHandshake } from './kept-handshake.js';

interface Watched {
  readonly handshake: KeptHandshake;
  timer: NodeJS.Timeout;
}

// setTimeout's longest delay, 24.8 days; a token that lasts longer is looked at again then.
const MAX_DELAY_MS = 0x7fffffff;

/** Closes connections whose token has run out, with a code that means: refresh it and come back. */
export class TokenExpiry {
  readonly #watched = new Map<GatewayConnection, Watched>();

  /** Watches a connection whose identity expires; again after each refresh. */
  watch(connection: GatewayConnection, handshake: Handshake): void {
    this.forget(connection);
    const { expiresAt } = connection;
    if (expiresAt === undefined) return;
    const timer = this.#timer(connection, expiresAt);
    this.#watched.set(connection, { handshake: new KeptHandshake(handshake), timer });
  }

  /** The handshake to judge a fresh token by. */
  handshakeOf(connection: GatewayConnection): Handshake | undefined {
    return this.#watched.get(connection)?.handshake.restored();
  }

  forget(connection: GatewayConnection): void {
    clearTimeout(this.#watched.get(connection)?.timer);
    this.#watched.delete(connection);
  }

  #timer(connection: GatewayConnection, expiresAt: number): NodeJS.Timeout {
    const delay = Math.min(MAX_DELAY_MS, Math.max(0, expiresAt - Date.now()));
    return setTimeout(this.#due, delay, connection, expiresAt).unref();
  }

  readonly #due = (connection: GatewayConnection, expiresAt: number): void => {
    const watched = this.#watched.get(connection);
    if (watched === undefined) return;
    if (expiresAt > Date.now()) watched.timer = this.#timer(connection, expiresAt);
    else connection.close(CloseCode.UNAUTHENTICATED, 'the token has expired');
  };
}
