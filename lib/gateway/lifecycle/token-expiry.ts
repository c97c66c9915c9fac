import { CloseCode, retryReason } from '../../protocol/close-codes.js';
import type { GatewayConnection } from './gateway-connection.js';
import type { Handshake } from '../identity/handshake.js';
import { HandshakeSnapshot } from '../identity/handshake-snapshot.js';

interface Watched {
  readonly handshake: HandshakeSnapshot;
  timer: NodeJS.Timeout;
  /** A refreshed token has been received that could not be checked yet. */
  isUnverified: boolean;
}

// setTimeout's longest delay, 24.8 days; for a token that lasts longer the timer is set again then.
const MAX_DELAY_MS = 0x7fffffff;

/**
 * Closes a connection whose token has expired with 4401. A client whose refreshed token could not be checked because of an
 * outage is closed with 1013 instead, so that it retries with that token.
 */
export class TokenExpiry {
  readonly #watched = new Map<GatewayConnection, Watched>();

  /** Watches a connection whose identity expires; again after each refresh. */
  watch(connection: GatewayConnection, handshake: Handshake): void {
    this.forget(connection);
    const { expiresAt } = connection;
    if (expiresAt === undefined) return;
    const timer = this.#timer(connection, expiresAt);
    this.#watched.set(connection, {
      handshake: new HandshakeSnapshot(handshake),
      timer,
      isUnverified: false,
    });
  }

  /** Whether the connection has sent a token that could not be checked yet. */
  setUnverified(connection: GatewayConnection, isUnverified: boolean): void {
    const watched = this.#watched.get(connection);
    if (watched !== undefined) watched.isUnverified = isUnverified;
  }

  /** The handshake to authenticate a refreshed token with. */
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
    else if (watched.isUnverified) connection.close(CloseCode.TRY_AGAIN_LATER, retryReason());
    else connection.close(CloseCode.UNAUTHENTICATED, 'the token has expired');
  };
}

/** The time until a token expires, as messages carry it; `null` for a token that does not expire. */
export function expiresInMs(expiresAt: number | undefined): number | null {
  return expiresAt === undefined ? null : Math.max(0, expiresAt - Date.now());
}
