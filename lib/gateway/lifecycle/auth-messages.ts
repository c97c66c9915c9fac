import type { Identity } from '../../connections/connection.js';
import type { Refusals } from '../../metrics/refusals.js';
import type { RealtimeLog } from '../../metrics/realtime-log.js';
import { CloseCode, retryReason } from '../../protocol/close-codes.js';
import { encodeError, encodeReply } from '../../protocol/codec.js';
import type { ClientFrame, WireError } from '../../protocol/envelope.js';
import { ErrorCode } from '../../protocol/error-codes.js';
import { networkOf } from '../admission/client-network.js';
import type { HandshakeQueue } from '../admission/handshake-queue.js';
import { closeForRejection, type UpgradeRejection } from '../admission/upgrade-rejection.js';
import type { Authentication, AuthResult } from '../identity/authentication.js';
import type { Handshake } from '../identity/handshake.js';
import type { ConnectionLifecycle } from './connection-lifecycle.js';
import type { GatewayConnection, SocketObserver } from './gateway-connection.js';
import type { ProtocolMessage } from './protocol-messages.js';
import { expiresInMs } from './token-expiry.js';

/** A connection that has not sent its first `$auth` yet. */
interface Unauthenticated {
  readonly handshake: Handshake;
  readonly deadline: NodeJS.Timeout;
}

/** The result of an `$auth`: of `authenticate`, of the queue before it, or `full` for a user with too many connections. */
type Outcome =
  | AuthResult
  | { readonly outcome: 'busy'; readonly rejection: UpgradeRejection }
  | { readonly outcome: 'full' }
  | { readonly outcome: 'gone' };

type Failure = Exclude<Outcome, { outcome: 'accepted' | 'gone' }>;

/** What a client gets for a token that is not accepted, and how its connection ends if it was the first one. */
const FAILURES: Readonly<Record<Failure['outcome'], WireError & { readonly close: CloseCode }>> = {
  refused: {
    code: ErrorCode.UNAUTHENTICATED,
    message: 'the token was refused',
    close: CloseCode.UNAUTHENTICATED,
  },
  failed: { code: ErrorCode.INTERNAL, message: 'internal error', close: CloseCode.INTERNAL_ERROR },
  late: {
    code: ErrorCode.TIMEOUT,
    message: 'authentication took too long',
    close: CloseCode.TRY_AGAIN_LATER,
  },
  unavailable: {
    code: ErrorCode.UNAVAILABLE,
    message: 'authentication is not available',
    close: CloseCode.TRY_AGAIN_LATER,
  },
  busy: { code: ErrorCode.UNAVAILABLE, message: 'too many handshakes', close: CloseCode.TRY_AGAIN_LATER },
  full: { code: ErrorCode.UNAVAILABLE, message: 'too many connections', close: CloseCode.TRY_AGAIN_LATER },
};

const IN_PROGRESS = 'authentication already in progress';
const MAX_TOKEN_LENGTH = 8_192;

export const AUTH_MESSAGES_DEFAULTS = { authTimeoutMs: 5_000 as number | false };

/**
 * `$auth { token }`: the first message of clients that cannot put a token into their handshake, such as browsers, and
 * later the way to refresh a token without losing the connection.
 */
export class AuthMessages implements ProtocolMessage, SocketObserver {
  readonly #unauthenticated = new Map<GatewayConnection, Unauthenticated>();
  readonly #refreshing = new Set<GatewayConnection>();

  constructor(
    private readonly authentication: Authentication,
    private readonly queue: HandshakeQueue,
    private readonly lifecycle: ConnectionLifecycle,
    private readonly authTimeoutMs: number,
    private readonly refusals: Refusals,
    private readonly logger: RealtimeLog,
  ) {}

  /** Closes the connection if it has not sent `$auth` within `authTimeoutMs`. */
  expect(connection: GatewayConnection, handshake: Handshake): void {
    const deadline = setTimeout(() => {
      connection.close(CloseCode.AUTH_TIMEOUT, 'no $auth in time');
    }, this.authTimeoutMs);
    deadline.unref();
    this.#unauthenticated.set(connection, { handshake, deadline });
  }

  closed(connection: GatewayConnection): void {
    clearTimeout(this.#unauthenticated.get(connection)?.deadline);
    this.#unauthenticated.delete(connection);
  }

  receive(connection: GatewayConnection, frame: ClientFrame): void {
    const token = tokenOf(frame.payload);
    if (token === undefined) {
      this.#refuse(connection, frame, ErrorCode.VALIDATION_FAILED, 'expected $auth { token }');
    } else if (!this.authentication.isRequired) {
      // A ticket may have authenticated it; a token that cannot be checked must not prolong that.
      this.#refuse(connection, frame, ErrorCode.BAD_REQUEST, 'this server takes no tokens');
    } else if (connection.phase === 'verifying' || this.#refreshing.has(connection)) {
      this.#refuse(connection, frame, ErrorCode.BAD_REQUEST, IN_PROGRESS);
    } else if (connection.phase === 'authenticating') {
      this.#receiveFirst(connection, frame, token);
    } else {
      this.#receiveRefresh(connection, frame, token);
    }
  }

  #receiveFirst(connection: GatewayConnection, frame: ClientFrame, token: string): void {
    const waiting = this.#unauthenticated.get(connection);
    if (waiting === undefined) return;
    this.closed(connection);
    // From here on its messages wait in the receive queue.
    connection.phase = 'verifying';
    this.#authenticate(connection, frame, { ...withoutTicket(waiting.handshake), token }).catch(
      (error: unknown) => this.#fail(connection, frame, error),
    );
  }

  #receiveRefresh(connection: GatewayConnection, frame: ClientFrame, token: string): void {
    const handshake = this.lifecycle.expiry.handshakeOf(connection);
    if (handshake === undefined) {
      this.#refuse(connection, frame, ErrorCode.BAD_REQUEST, 'already authenticated');
      return;
    }
    this.#refreshing.add(connection);
    this.#refresh(connection, frame, { ...withoutTicket(handshake), token })
      .catch((error: unknown) => this.#fail(connection, frame, error))
      .finally(() => this.#refreshing.delete(connection));
  }

  /** Calls `authenticate` in its turn; one queue limits these tokens and those of upgrade requests. */
  async #result(connection: GatewayConnection, handshake: Handshake): Promise<Outcome> {
    const turn = await this.queue.enter(handshake.request.socket, networkOf(handshake.ip));
    if (!turn.ok) return { outcome: 'busy', rejection: turn.rejection };
    try {
      return connection.isOpen
        ? await this.authentication.authenticate(handshake, connection.route.authenticated)
        : { outcome: 'gone' };
    } finally {
      this.queue.leave();
    }
  }

  async #authenticate(
    connection: GatewayConnection,
    frame: ClientFrame,
    handshake: Handshake,
  ): Promise<void> {
    let result = await this.#result(connection, handshake);
    if (!connection.isOpen) return;
    if (result.outcome === 'accepted') {
      const counted = await connection.permit.identify(result.identity.userId);
      if (!connection.isOpen) return;
      if (!counted.ok) result = { outcome: 'full' };
    }
    if (result.outcome === 'gone') return;
    if (result.outcome === 'accepted') {
      this.#accept(connection, frame, result.identity);
      this.lifecycle.open(connection, result.identity, handshake);
    } else {
      this.#reject(connection, frame, result);
      connection.close(...closeAfter(result));
    }
  }

  /** A token that is not accepted changes nothing: the old token stays in force until it expires. */
  async #refresh(connection: GatewayConnection, frame: ClientFrame, handshake: Handshake): Promise<void> {
    const { expiry } = this.lifecycle;
    expiry.setUnverified(connection, true);
    // `handleConnection` acts on the old identity: what it does must not come after `handleRefresh`.
    await connection.runningHook;
    const result = await this.#result(connection, handshake);
    if (!connection.isOpen || result.outcome === 'gone') return;
    if (result.outcome !== 'accepted') {
      if (result.outcome === 'refused') expiry.setUnverified(connection, false);
      this.#reject(connection, frame, result);
    } else if (result.identity.userId !== connection.userId) {
      expiry.setUnverified(connection, false);
      this.#refuse(connection, frame, ErrorCode.FORBIDDEN, 'the token belongs to another user');
    } else {
      await this.lifecycle.refresh(connection, result.identity, handshake);
      this.#accept(connection, frame, result.identity);
    }
  }

  #accept(connection: GatewayConnection, frame: ClientFrame, { expiresAt }: Identity): void {
    if (frame.id === undefined) return;
    connection.sendText(encodeReply(frame.id, { expiresInMs: expiresInMs(expiresAt) }));
  }

  #reject(connection: GatewayConnection, frame: ClientFrame, result: Failure): void {
    const { code, message } = FAILURES[result.outcome];
    this.#refuse(connection, frame, code, message, 'reason' in result ? result.reason : undefined);
  }

  #fail(connection: GatewayConnection, frame: ClientFrame, error: unknown): void {
    this.logger.error(error);
    this.#reject(connection, frame, { outcome: 'failed' });
    connection.close(...closeAfter({ outcome: 'failed' }));
  }

  #refuse(
    connection: GatewayConnection,
    frame: ClientFrame,
    code: string,
    message: string,
    cause?: string,
  ): void {
    const because = cause === undefined ? '' : ` (${cause})`;
    this.refusals.message(
      code,
      () => `connection ${connection.id}: $auth was refused with ${code}: ${message}${because}`,
    );
    connection.sendText(encodeError(frame.id, { code, message }));
  }
}

/** How a connection ends whose first token was not accepted. */
function closeAfter(failure: Failure): [code: number, reason: string] {
  const { close, message } = FAILURES[failure.outcome];
  if (close !== CloseCode.TRY_AGAIN_LATER) return [close, message];
  return [close, failure.outcome === 'busy' ? closeForRejection(failure.rejection).reason : retryReason()];
}

// A ticket is for one handshake: a token that is sent later is authenticated by itself.
function withoutTicket(handshake: Handshake): Handshake {
  return { ...handshake, ticket: undefined };
}

function tokenOf(payload: unknown): string | undefined {
  const token =
    typeof payload === 'object' && payload !== null ? (payload as { token?: unknown }).token : undefined;
  return typeof token === 'string' && token !== '' && token.length <= MAX_TOKEN_LENGTH ? token : undefined;
}
