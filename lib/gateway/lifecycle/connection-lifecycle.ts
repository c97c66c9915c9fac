import type { Identity } from '../../connections/connection.js';
import type { Disconnection } from '../../connections/connection-observer.js';
import type { ConnectionRegistry } from '../../connections/connection-registry.js';
import type { MessageDispatcher } from '../../messages/message-dispatcher.js';
import { refusalOf } from '../../messages/wire-error.js';
import { CloseCode, retryReason } from '../../protocol/close-codes.js';
import { encodeMessage } from '../../protocol/codec.js';
import type { Hello } from '../../protocol/envelope.js';
import { ErrorCode } from '../../protocol/error-codes.js';
import type { Handshake } from '../identity/handshake.js';
import type { ConnectionLog } from './connection-log.js';
import type { GatewayConnection, SocketObserver } from './gateway-connection.js';
import type { HelloFields, Recovery } from './recovery.js';
import { expiresInMs, TokenExpiry } from './token-expiry.js';

/** What `$hello` announces beyond the connection itself. */
export type Announcement = Pick<Hello, 'heartbeat' | 'maxPayloadBytes'>;

export interface LifecycleSettings {
  readonly announcement: Announcement;
  /** How long a connection may take to open, with its user's subscription and every `handleConnection`; and `handleRefresh`. */
  readonly openTimeoutMs: number;
}

/** The close code for an error that a hook throws; every other code is `FORBIDDEN`. */
const CLOSE_CODES: Readonly<Partial<Record<string, CloseCode>>> = {
  [ErrorCode.INTERNAL]: CloseCode.INTERNAL_ERROR,
  [ErrorCode.UNAUTHENTICATED]: CloseCode.UNAUTHENTICATED,
  [ErrorCode.UNAVAILABLE]: CloseCode.TRY_AGAIN_LATER,
  [ErrorCode.RATE_LIMITED]: CloseCode.TRY_AGAIN_LATER,
  [ErrorCode.TIMEOUT]: CloseCode.TRY_AGAIN_LATER,
};

/** Takes a connection with a known identity through the app's hooks to its end. Nothing here throws. */
export class ConnectionLifecycle implements SocketObserver {
  readonly expiry = new TokenExpiry();
  readonly #ending = new Set<Promise<void>>();

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly recoveries: readonly Recovery[],
    private readonly dispatcher: MessageDispatcher,
    private readonly settings: LifecycleSettings,
    private readonly log: ConnectionLog,
  ) {}

  /** Registers the connection, runs `handleConnection` and the recoveries, sends `$hello`, and handles waiting messages. */
  open(connection: GatewayConnection, identity: Identity, handshake: Handshake): void {
    connection.identify(identity);
    connection.phase = 'opening';
    for (const recovery of this.recoveries) recovery.identified?.(connection);
    void this.#track(connection, this.#open(connection, handshake));
    this.expiry.watch(connection, handshake);
  }

  /** Runs `handleRefresh` after the token was refreshed; resolves when it has ended. */
  refresh(connection: GatewayConnection, identity: Identity, handshake: Handshake): Promise<void> {
    connection.identify(identity);
    const refreshed = this.#track(connection, this.#refresh(connection));
    this.expiry.watch(connection, handshake);
    return refreshed;
  }

  closed(connection: GatewayConnection, disconnection: Disconnection): void {
    connection.permit.release();
    connection.receiveQueue.close();
    this.expiry.forget(connection);
    this.registry.remove(connection);
    const ending = this.#end(connection, disconnection).finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  /** Resolves when every running `handleDisconnect` has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#ending);
  }

  async #open(connection: GatewayConnection, handshake: Handshake): Promise<void> {
    const hook = 'handleConnection';
    const deadline = this.#deadline(connection, hook);
    const recovered: HelloFields[] = [];
    try {
      await this.registry.add(connection);
      await connection.route.connect(connection, handshake.request);
      for (const recovery of this.recoveries) {
        if (recovery.recover !== undefined) recovered.push((await recovery.recover(connection)) ?? {});
      }
    } catch (error) {
      this.#reject(connection, error, hook);
      return;
    } finally {
      clearTimeout(deadline);
    }
    if (!connection.isOpen) return;
    connection.phase = 'open';
    this.log.opened(connection, this.registry.size);
    connection.ready(encodeMessage('$hello', Object.assign(this.#hello(connection), ...recovered)));
    const { handlers } = connection.route;
    connection.receiveQueue.open((frame) =>
      this.dispatcher.dispatch(handlers.get(frame.type)?.source, connection, frame),
    );
  }

  async #refresh(connection: GatewayConnection): Promise<void> {
    const hook = 'handleRefresh';
    const deadline = this.#deadline(connection, hook);
    try {
      await connection.route.refresh(connection);
    } catch (error) {
      this.#reject(connection, error, hook);
    } finally {
      clearTimeout(deadline);
    }
  }

  /** One hook of a connection runs at a time; the next one waits for it. */
  #track(connection: GatewayConnection, hook: Promise<void>): Promise<void> {
    const running = hook.finally(() => {
      if (connection.runningHook === running) connection.runningHook = undefined;
    });
    connection.runningHook = running;
    return running;
  }

  #deadline(connection: GatewayConnection, hook: string): NodeJS.Timeout {
    return setTimeout(() => {
      this.log.hookTimedOut(connection, hook);
      connection.close(CloseCode.TRY_AGAIN_LATER, retryReason());
    }, this.settings.openTimeoutMs).unref();
  }

  async #end(connection: GatewayConnection, disconnection: Disconnection): Promise<void> {
    await connection.runningHook;
    const failures = await connection.route.disconnect(connection, disconnection);
    for (const failure of failures) this.log.hookFailed(connection, 'handleDisconnect', failure);
  }

  /** A hook that throws closes this one connection; an error for clients decides the code. */
  #reject(connection: GatewayConnection, thrown: unknown, hook: string): void {
    const { error, isFault } = refusalOf(thrown);
    if (isFault) this.log.hookFailed(connection, hook, thrown);
    else this.log.hookRefused(connection, hook, error.code);
    connection.close(CLOSE_CODES[error.code] ?? CloseCode.FORBIDDEN, error.message);
  }

  #hello({ id, sessionId, userId, expiresAt }: GatewayConnection): Hello {
    return {
      connectionId: id,
      sessionId,
      userId: userId ?? null,
      ...this.settings.announcement,
      expiresInMs: expiresInMs(expiresAt),
      recovered: false,
    };
  }
}
