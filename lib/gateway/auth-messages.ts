import type { LoggerService } from '@nestjs/common';
import type { Identity } from '../connections/connection.js';
import { CloseCode } from '../protocol/close-codes.js';
import type { Refusals } from '../metrics/refusals.js';
import { encodeError, encodeReply } from '../protocol/codec.js';
import type { ClientFrame } from '../protocol/envelope.js';
import { defaultErrorMessage, ErrorCode } from '../protocol/error-codes.js';
import type { Authentication } from './authentication.js';
import type { GatewayConnection } from './gateway-connection.js';
import type { Handshake } from './handshake.js';
import type { TokenExpiry } from './token-expiry.js';

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

const MAX_TOKEN_LENGTH = 8_192;

/**
 * `$auth { token }`: the first message of clients that could put no token into their handshake, as browsers cannot,
 * and later the way to refresh a token without losing the connection.
 */
export class AuthMessages {
  readonly #unauthenticated = new Map<GatewayConnection, Unauthenticated>();
  readonly #refreshing = new Set<GatewayConnection>();

  constructor(
    private readonly authentication: Authentication,
    private readonly expiry: TokenExpiry,
    private readonly authTimeoutMs: number,
    private readonly onAuthenticated: OnAuthenticated,
    private readonly refusals: Refusals,
    private readonly logger: LoggerService,
  ) {}

  get unauthenticated(): number {
    return this.#unauthenticated.size;
  }

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
    } else if (handshake === undefined || waiting?.isBeingJudged === true) {
      this.#refuse(connection, frame, ErrorCode.BAD_REQUEST, 'already authenticated');
    } else if (this.#refreshing.has(connection)) {
      this.#refuse(connection, frame, ErrorCode.BAD_REQUEST, 'another $auth is being judged');
    } else if (waiting === undefined) {
      this.#refreshing.add(connection);
      void this.#refresh(connection, frame, { ...withTicketUsed(handshake), token }).finally(() =>
        this.#refreshing.delete(connection),
      );
    } else {
      waiting.isBeingJudged = true;
      clearTimeout(waiting.deadline);
      // Its messages wait in the inbox for the verdict from here on.
      connection.phase = 'opening';
      void this.#judge(connection, frame, { ...withTicketUsed(handshake), token });
    }
  }

  async #judge(connection: GatewayConnection, frame: ClientFrame, handshake: Handshake): Promise<void> {
    const verdict = await this.authentication.judge(handshake);
    this.forget(connection);
    if (!connection.isOpen) return;
    if (verdict.outcome === 'refused') {
      this.#refuse(connection, frame, ErrorCode.UNAUTHENTICATED, 'the token was refused', verdict.reason);
      connection.close(CloseCode.UNAUTHENTICATED, 'the token was refused');
    } else if (verdict.outcome === 'late' || verdict.outcome === 'unavailable') {
      this.#refuse(connection, frame, ErrorCode.TIMEOUT, 'authentication took too long');
      connection.close(CloseCode.TRY_AGAIN_LATER, 'retry=5000');
    } else if (verdict.outcome === 'failed') {
      this.logger.error(verdict.reason);
      this.#refuse(connection, frame, ErrorCode.INTERNAL);
      connection.close(CloseCode.INTERNAL_ERROR, 'internal error');
    } else if ((await connection.seat.identify(verdict.identity.userId)) !== undefined) {
      this.#refuse(connection, frame, ErrorCode.UNAVAILABLE, 'too many connections');
      connection.close(CloseCode.TRY_AGAIN_LATER, 'retry=5000');
    } else if (connection.isOpen) {
      if (frame.id !== undefined) connection.sendText(encodeReply(frame.id, expiryOf(verdict.identity)));
      this.onAuthenticated.first(connection, verdict.identity, handshake);
    }
  }

  /** A refused refresh changes nothing: the connection lives as long as its old token does. */
  async #refresh(connection: GatewayConnection, frame: ClientFrame, handshake: Handshake): Promise<void> {
    const verdict = await this.authentication.judge(handshake);
    if (!connection.isOpen) return;
    if (verdict.outcome === 'late' || verdict.outcome === 'unavailable') {
      this.#refuse(connection, frame, ErrorCode.TIMEOUT, 'authentication took too long');
    } else if (verdict.outcome === 'failed') {
      this.logger.error(verdict.reason);
      this.#refuse(connection, frame, ErrorCode.INTERNAL);
    } else if (verdict.outcome === 'refused') {
      this.#refuse(connection, frame, ErrorCode.UNAUTHENTICATED, 'the token was refused', verdict.reason);
    } else if (verdict.identity.userId !== connection.userId) {
      this.#refuse(connection, frame, ErrorCode.FORBIDDEN, 'the token is of another user');
    } else {
      await this.onAuthenticated.again(connection, verdict.identity, handshake);
      if (frame.id !== undefined) connection.sendText(encodeReply(frame.id, expiryOf(verdict.identity)));
    }
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
