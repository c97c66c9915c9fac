import type { LoggerService } from '@nestjs/common';
import type { Identity } from '../../connections/connection.js';
import { CloseCode } from '../../protocol/close-codes.js';
import type { Refusals } from '../../metrics/refusals.js';
import { encodeError, encodeReply } from '../../protocol/codec.js';
import type { ClientFrame } from '../../protocol/envelope.js';
import { defaultErrorMessage, ErrorCode } from '../../protocol/error-codes.js';
import type { Authentication, AuthResult } from '../identity/authentication.js';
import { networkOf } from '../admission/client-network.js';
import type { GatewayConnection } from './gateway-connection.js';
import type { Handshake } from '../identity/handshake.js';
import type { HandshakeQueue } from '../admission/handshake-queue.js';
import type { TokenExpiry } from './token-expiry.js';
import { closeOf, type UpgradeRejection } from '../admission/upgrade-rejection.js';

/** What follows an accepted `$auth`. */
export interface OnAuthenticated {
  /** The client has said for the first time who it is. */
  first(connection: GatewayConnection, identity: Identity, handshake: Handshake): void;
  /** The same user has a fresh token; resolves when the app has looked at its permissions again. */
  again(connection: GatewayConnection, identity: Identity, handshake: Handshake): Promise<void>;
}

interface Unauthenticated {
  readonly handshake: Handshake;
  readonly deadline: NodeJS.Timeout;
  isBeingJudged: boolean;
}

/** What `$auth` comes to: a verdict, no turn in the queue, or a client that has gone. */
type Outcome =
  | AuthResult
  | { readonly outcome: 'busy'; readonly refusal: UpgradeRejection }
  | { readonly outcome: 'gone' };

const MAX_TOKEN_LENGTH = 8_192;
const RETRY = 'retry=5000';

/**
 * `$auth { token }`: the first message of clients that could put no token into their handshake, as browsers cannot,
 * and later the way to refresh a token without losing the connection.
 */
export class AuthMessages {
  readonly #unauthenticated = new Map<GatewayConnection, Unauthenticated>();
  readonly #refreshing = new Set<GatewayConnection>();

  constructor(
    private readonly authentication: Authentication,
    private readonly queue: HandshakeQueue,
    private readonly expiry: TokenExpiry,
    private readonly authTimeoutMs: number,
    private readonly onAuthenticated: OnAuthenticated,
    private readonly refusals: Refusals,
    private readonly logger: LoggerService,
  ) {}

  /** Gives a client until the deadline to say `$auth`. */
  expect(connection: GatewayConnection, handshake: Handshake): void {
    const deadline = setTimeout(() => {
      connection.close(CloseCode.AUTH_TIMEOUT, 'no $auth in time');
    }, this.authTimeoutMs);
    deadline.unref();
    this.#unauthenticated.set(connection, { handshake, deadline, isBeingJudged: false });
  }

  forget(connection: GatewayConnection): void {
    clearTimeout(this.#unauthenticated.get(connection)?.deadline);
    this.#unauthenticated.delete(connection);
  }

  receive(connection: GatewayConnection, frame: ClientFrame): void {
    const token = tokenOf(frame.payload);
    const waiting = this.#unauthenticated.get(connection);
    const handshake = waiting?.handshake ?? this.expiry.handshakeOf(connection);
    if (token === undefined) {
      this.#refuse(connection, frame, ErrorCode.VALIDATION_FAILED, 'expected $auth { token }');
    } else if (!this.authentication.isRequired) {
      // A ticket may have let it in; a token that nothing can check must not prolong that.
      this.#refuse(connection, frame, ErrorCode.BAD_REQUEST, 'this server takes no tokens');
    } else if (handshake === undefined || waiting?.isBeingJudged === true) {
      this.#refuse(connection, frame, ErrorCode.BAD_REQUEST, 'already authenticated');
    } else if (this.#refreshing.has(connection)) {
      this.#refuse(connection, frame, ErrorCode.BAD_REQUEST, 'another $auth is being judged');
    } else if (waiting === undefined) {
      this.#refreshing.add(connection);
      void this.#refresh(connection, frame, { ...withTicketUsed(handshake), token })
        .catch((error: unknown) => this.#fail(connection, frame, error))
        .finally(() => this.#refreshing.delete(connection));
    } else {
      waiting.isBeingJudged = true;
      clearTimeout(waiting.deadline);
      // Its messages wait in the receiveQueue for the verdict from here on.
      connection.phase = 'opening';
      void this.#authenticate(connection, frame, { ...withTicketUsed(handshake), token }).catch(
        (error: unknown) => this.#fail(connection, frame, error),
      );
    }
  }

  /** Asks the app when it is this client's turn; one queue paces these tokens and those of upgrade requests. */
  async #judge(connection: GatewayConnection, handshake: Handshake): Promise<Outcome> {
    const refusal = await this.queue.enter(handshake.request.socket, networkOf(handshake.ip));
    if (refusal !== undefined) return { outcome: 'busy', refusal };
    try {
      return connection.isOpen
        ? await this.authentication.judge(handshake, connection.route.authenticated)
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
    const verdict = await this.#judge(connection, handshake);
    this.forget(connection);
    if (!connection.isOpen) return;
    if (verdict.outcome !== 'accepted') {
      this.#reject(connection, frame, verdict);
      connection.close(...closeAfter(verdict));
    } else if ((await connection.permit.identify(verdict.identity.userId)) !== undefined) {
      this.#refuse(connection, frame, ErrorCode.UNAVAILABLE, 'too many connections');
      connection.close(CloseCode.TRY_AGAIN_LATER, RETRY);
    } else if (connection.isOpen) {
      if (frame.id !== undefined) connection.sendText(encodeReply(frame.id, expiryOf(verdict.identity)));
      this.onAuthenticated.first(connection, verdict.identity, handshake);
    }
  }

  /** A token that is not accepted changes nothing: the connection lives as long as its old token does. */
  async #refresh(connection: GatewayConnection, frame: ClientFrame, handshake: Handshake): Promise<void> {
    this.expiry.setUnverified(connection, true);
    // `handleConnection` acts on the old identity: what it does must not come after `handleRefresh`.
    await connection.runningHook;
    const verdict = await this.#judge(connection, handshake);
    if (!connection.isOpen) return;
    if (verdict.outcome !== 'accepted') {
      if (verdict.outcome === 'refused') this.expiry.setUnverified(connection, false);
      this.#reject(connection, frame, verdict);
    } else if (verdict.identity.userId !== connection.userId) {
      this.expiry.setUnverified(connection, false);
      this.#refuse(connection, frame, ErrorCode.FORBIDDEN, 'the token is of another user');
    } else {
      await this.onAuthenticated.again(connection, verdict.identity, handshake);
      if (frame.id !== undefined) connection.sendText(encodeReply(frame.id, expiryOf(verdict.identity)));
    }
  }

  /** Answers a token that was not accepted. */
  #reject(
    connection: GatewayConnection,
    frame: ClientFrame,
    verdict: Exclude<Outcome, { outcome: 'accepted' }>,
  ): void {
    switch (verdict.outcome) {
      case 'refused':
        this.#refuse(connection, frame, ErrorCode.UNAUTHENTICATED, 'the token was refused', verdict.reason);
        return;
      case 'failed':
        this.#refuse(connection, frame, ErrorCode.INTERNAL);
        return;
      case 'late':
        this.#refuse(connection, frame, ErrorCode.TIMEOUT, 'authentication took too long');
        return;
      case 'unavailable':
        this.#refuse(
          connection,
          frame,
          ErrorCode.UNAVAILABLE,
          'authentication is not available',
          verdict.reason,
        );
        return;
      case 'busy':
        this.#refuse(connection, frame, ErrorCode.UNAVAILABLE, verdict.refusal.message);
        return;
      case 'gone':
    }
  }

  #fail(connection: GatewayConnection, frame: ClientFrame, error: unknown): void {
    this.logger.error(error);
    this.forget(connection);
    this.#refuse(connection, frame, ErrorCode.INTERNAL);
    connection.close(CloseCode.INTERNAL_ERROR, 'internal error');
  }

  #refuse(
    connection: GatewayConnection,
    frame: ClientFrame,
    code: ErrorCode,
    message = defaultErrorMessage(code),
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

/** How a connection ends whose first token was not accepted. Only a refused token is the client's doing. */
function closeAfter(verdict: Outcome): [code: number, reason: string] {
  if (verdict.outcome === 'refused') return [CloseCode.UNAUTHENTICATED, 'the token was refused'];
  if (verdict.outcome === 'failed') return [CloseCode.INTERNAL_ERROR, 'internal error'];
  const reason = verdict.outcome === 'busy' ? closeOf(verdict.refusal).reason : RETRY;
  return [CloseCode.TRY_AGAIN_LATER, reason];
}

// A ticket was for one handshake: a token that comes later is judged by itself.
function withTicketUsed(handshake: Handshake): Handshake {
  return { ...handshake, ticket: undefined };
}

function expiryOf({ expiresAt }: Identity): { expiresInMs: number | null } {
  return { expiresInMs: expiresAt === undefined ? null : Math.max(0, expiresAt - Date.now()) };
}

function tokenOf(payload: unknown): string | undefined {
  const token =
    typeof payload === 'object' && payload !== null ? (payload as { token?: unknown }).token : undefined;
  return typeof token === 'string' && token !== '' && token.length <= MAX_TOKEN_LENGTH ? token : undefined;
}
