import { logLine } from '../../metrics/log-line.js';
import type { RealtimeMetrics } from '../../metrics/realtime-metrics.js';
import type { Refusals } from '../../metrics/refusals.js';
import { CloseCode, retryReason } from '../../protocol/close-codes.js';
import { decodeFrame, encodeError, FrameRefusal, type JsonLimits } from '../../protocol/codec.js';
import type { ClientFrame, MessageId } from '../../protocol/envelope.js';
import { defaultErrorMessage, ErrorCode } from '../../protocol/error-codes.js';
import type { GatewayConnection } from './gateway-connection.js';
import type { Heartbeat } from './heartbeat.js';
import type { ProtocolMessages } from './protocol-messages.js';
import type { RateLimiter } from './rate-limiter.js';

export interface FrameReceiverSettings {
  readonly maxJsonDepth: number;
  readonly maxJsonKeys: number;
  /** Invalid messages in a row before the connection is closed with 4520. */
  readonly maxProtocolErrors: number;
}

export const FRAME_RECEIVER_DEFAULTS: FrameReceiverSettings = {
  maxJsonDepth: 32,
  maxJsonKeys: 4_096,
  maxProtocolErrors: 20,
};

// Reading a frame costs something, however small it is.
const FRAME_COST = 64;
const MAX_IGNORED_BYTES = 1_048_576;

/** Reads each frame once and passes it to the protocol message of its type, or to the connection's receive queue. */
export class FrameReceiver {
  readonly #jsonLimits: JsonLimits;

  constructor(
    private readonly settings: FrameReceiverSettings,
    private readonly protocolMessages: ProtocolMessages,
    private readonly rateLimiter: RateLimiter,
    private readonly heartbeat: Heartbeat,
    private readonly metrics: RealtimeMetrics,
    private readonly refusals: Refusals,
  ) {
    this.#jsonLimits = { maxDepth: settings.maxJsonDepth, maxKeys: settings.maxJsonKeys };
  }

  /** Called for every message of a client. */
  receive(connection: GatewayConnection, data: Buffer, isBinary: boolean): void {
    this.heartbeat.seen(connection);
    if (!connection.isOpen) {
      this.#ignore(connection, data);
      return;
    }
    this.metrics.messagesReceived.add();
    if (isBinary) {
      if (!this.#passes(connection, undefined, 1, data.length)) return;
      const message = 'expected a text frame, got a binary one';
      this.#refuse(connection, undefined, ErrorCode.PARSE_ERROR, message);
      this.#countError(connection);
      return;
    }
    const frame = decodeFrame(data.toString(), this.#jsonLimits);
    if (frame instanceof FrameRefusal) {
      if (!this.#passes(connection, frame.id, 1, data.length)) return;
      this.#refuse(connection, frame.id, ErrorCode.PARSE_ERROR, frame.message);
      this.#countError(connection);
      return;
    }
    const handler = connection.route.handlers.get(frame.type);
    if (!this.#passes(connection, frame.id, handler?.cost ?? 1, data.length)) return;
    if (frame.type.charCodeAt(0) === 36 /* $ */ || frame.type === 'ping') {
      this.#receiveProtocol(connection, frame);
    } else if (this.#enqueue(connection, frame)) {
      if (handler === undefined) this.#countError(connection);
      else connection.consecutiveErrors = 0;
    }
  }

  /** Called for every ping of a client; pings above its rate get no pong. */
  receivePing(connection: GatewayConnection, data: Buffer): void {
    this.heartbeat.seen(connection);
    if (!connection.isOpen) this.#ignore(connection, data);
    else if (this.#passes(connection, undefined, 1, data.length)) connection.pong(data);
  }

  receivePong(connection: GatewayConnection): void {
    this.heartbeat.seen(connection);
  }

  #receiveProtocol(connection: GatewayConnection, frame: ClientFrame): void {
    const message = this.protocolMessages.get(frame.type);
    if (message !== undefined) {
      message.receive(connection, frame);
      return;
    }
    this.#refuse(connection, frame.id, ErrorCode.UNKNOWN_TYPE);
    this.#countError(connection);
  }

  /** Passes a message of the app to its turn; false when it is refused. */
  #enqueue(connection: GatewayConnection, frame: ClientFrame): boolean {
    const { receiveQueue } = connection;
    if (connection.phase === 'authenticating') {
      this.#refuse(connection, frame.id, ErrorCode.UNAUTHENTICATED);
      this.#countError(connection);
    } else if (receiveQueue.isSealed) {
      this.#refuse(connection, frame.id, ErrorCode.UNAVAILABLE, 'the server is restarting');
    } else if (receiveQueue.push(frame)) {
      return true;
    } else {
      this.#refuse(connection, frame.id, ErrorCode.RATE_LIMITED, 'too many messages wait to be handled');
    }
    return false;
  }

  /** Frames may still arrive after a connection was closed; a client that keeps sending is terminated. */
  #ignore(connection: GatewayConnection, data: Buffer): void {
    connection.ignoredBytes += FRAME_COST + data.length;
    if (connection.ignoredBytes > MAX_IGNORED_BYTES) connection.terminate();
  }

  /** Whether the connection is within its rate; refuses the message when not. */
  #passes(connection: GatewayConnection, id: MessageId | undefined, cost: number, bytes: number): boolean {
    const result = this.rateLimiter.take(connection.allowance, cost, bytes);
    if (result === 'passed') return true;
    this.#refuse(connection, id, ErrorCode.RATE_LIMITED);
    if (result === 'exhausted') connection.close(CloseCode.RATE_LIMITED, retryReason());
    return false;
  }

  /** Closes a connection that sends only invalid messages. */
  #countError(connection: GatewayConnection): void {
    if (++connection.consecutiveErrors < this.settings.maxProtocolErrors) return;
    connection.close(CloseCode.TOO_MANY_ERRORS, 'too many invalid messages');
  }

  #refuse(
    connection: GatewayConnection,
    id: MessageId | undefined,
    code: ErrorCode,
    message = defaultErrorMessage(code),
  ): void {
    this.refusals.message(code, () =>
      logLine('message refused', { connection: connection.id, code, why: message }),
    );
    connection.sendText(encodeError(id, { code, message }));
  }
}
