import type { LoggerService } from '@nestjs/common';
import type { Identity } from '../connections/connection.js';
import { CloseCode } from '../protocol/close-codes.js';
import { encodeError, encodeReply } from '../protocol/codec.js';
import type { ClientFrame } from '../protocol/envelope.js';
import { defaultErrorMessage, ErrorCode } from '../protocol/error-codes.js';
import type { Authentication } from './authentication.js';
import type { GatewayConnection } from './gateway-connection.js';
import type { Handshake } from './handshake.js';

/** Called once a client has said who it is. */
export type OnIdentified = (connection: GatewayConnection, identity: Identity, handshake: Handshake) => void;

const MAX_TOKEN_LENGTH = 8_192;

/** Clients that could put no token into their handshake, as browsers cannot, say `$auth` first and in time. */
export class FirstMessageAuth {
  readonly #waiting = new Map<GatewayConnection, { handshake: Handshake; timer: NodeJS.Timeout }>();

  constructor(
    private readonly authentication: Authentication,
    private readonly authTimeoutMs: number | false,
    private readonly onIdentified: OnIdentified,
    private readonly logger: LoggerService,
  ) {}

  get isOffered(): boolean {
    return this.authTimeoutMs !== false;
  }

  /** Gives the client until the deadline. */
  expect(connection: GatewayConnection, handshake: Handshake): void {
    const timer = setTimeout(() => {
      this.forget(connection);
      connection.close(CloseCode.AUTH_TIMEOUT, 'no $auth in time');
    }, this.authTimeoutMs as number);
    timer.unref();
    this.#waiting.set(connection, { handshake, timer });
  }

  forget(connection: GatewayConnection): void {
    clearTimeout(this.#waiting.get(connection)?.timer);
    this.#waiting.delete(connection);
  }

  /** A client's `$auth { token }`. */
  receive(connection: GatewayConnection, frame: ClientFrame): void {
    const waiting = this.#waiting.get(connection);
    if (waiting === undefined) {
      this.#answerError(connection, frame, ErrorCode.BAD_REQUEST, 'already authenticated');
      return;
    }
    const token = tokenOf(frame.payload);
    if (token === undefined) {
      this.#answerError(connection, frame, ErrorCode.VALIDATION_FAILED, 'expected $auth { token }');
      return;
    }
    // From here on nothing else of this client is `$auth`; its messages wait in the inbox for the verdict.
    this.forget(connection);
    connection.phase = 'opening';
    void this.#judge(connection, frame, { ...waiting.handshake, token });
  }

  async #judge(connection: GatewayConnection, frame: ClientFrame, handshake: Handshake): Promise<void> {
    const verdict = await this.authentication.judge(handshake);
    if (!connection.isOpen) return;
    if (verdict.outcome === 'accepted') {
      if (frame.id !== undefined) connection.sendText(encodeReply(frame.id, null));
      this.onIdentified(connection, verdict.identity, handshake);
      return;
    }
    if (verdict.outcome === 'failed') {
      this.logger.error(verdict.reason);
      connection.close(CloseCode.INTERNAL_ERROR, 'internal error');
      return;
    }
    this.#answerError(connection, frame, ErrorCode.UNAUTHENTICATED, 'the token was refused');
    connection.close(CloseCode.UNAUTHENTICATED, 'the token was refused');
  }

  #answerError(
    connection: GatewayConnection,
    frame: ClientFrame,
    code: ErrorCode,
    message = defaultErrorMessage(code),
  ): void {
    connection.sendText(encodeError(frame.id, { code, message }));
  }
}

function tokenOf(payload: unknown): string | undefined {
  const token =
    typeof payload === 'object' && payload !== null ? (payload as { token?: unknown }).token : undefined;
  return typeof token === 'string' && token !== '' && token.length <= MAX_TOKEN_LENGTH ? token : undefined;
}
