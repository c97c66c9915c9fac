import type { ClientRequests } from '../../broadcast/client-requests.js';
import type { MessageDispatcher } from '../../messages/message-dispatcher.js';
import type { ReplyStreams } from '../../messages/reply-streams.js';
import { CloseCode } from '../../protocol/close-codes.js';
import { decodeFrame, encodeError, encodePong, FrameRefusal, type JsonLimits } from '../../protocol/codec.js';
import type { ClientFrame, MessageId } from '../../protocol/envelope.js';
import { defaultErrorMessage, ErrorCode } from '../../protocol/error-codes.js';
import type { RealtimeMetrics } from '../../metrics/realtime-metrics.js';
import type { Refusals } from '../../metrics/refusals.js';
import { logLine } from '../../metrics/log-line.js';
import type { RealtimeLog } from '../../metrics/realtime-log.js';
import type { GatewayConnection } from './gateway-connection.js';
import type { RateLimiter } from './rate-limiter.js';
import type { Resumption } from './resumption.js';

/** Takes over the `$auth` frames; they need what only the lifecycle knows. */
export type OnAuth = (connection: GatewayConnection, frame: ClientFrame) => void;

export interface FrameReceiverSettings extends JsonLimits {
  /** Frames in a row that are no messages before the connection is closed. */
  readonly maxProtocolErrors: number;
}

// To read a frame that nobody wants costs something, however small it is.
const FRAME_COST = 64;
const MAX_IGNORED_BYTES = 1_048_576;

/** Reads each frame once and sends it where it belongs: to the protocol, or to the connection's receiveQueue. */
export class FrameReceiver {
  constructor(
    private readonly settings: FrameReceiverSettings,
    private readonly dispatcher: MessageDispatcher,
    private readonly streams: ReplyStreams,
    private readonly requests: ClientRequests,
    private readonly rateLimiter: RateLimiter,
    private readonly onAuth: OnAuth,
    private readonly resumption: Resumption,
    private readonly metrics: RealtimeMetrics,
    private readonly refusals: Refusals,
    private readonly log: RealtimeLog,
  ) {}

  /** Called for every message of a client. */
  receive(connection: GatewayConnection, data: Buffer, isBinary: boolean): void {
    if (!connection.isOpen) {
      this.#ignore(connection, data);
      return;
    }
    this.metrics.messagesReceived.add();
    if (isBinary) {
      if (!this.#passes(connection, undefined, 1, data.length)) return;
      this.#refuse(connection, undefined, ErrorCode.PARSE_ERROR, 'expected a text frame, got a binary one');
      return;
    }
    const frame = decodeFrame(data.toString(), this.settings);
    const cost = frame instanceof FrameRefusal ? 1 : (connection.route.handlers.get(frame.type)?.cost ?? 1);
    if (!this.#passes(connection, frame.id, cost, data.length)) return;
    if (frame instanceof FrameRefusal) {
      this.#refuse(connection, frame.id, ErrorCode.PARSE_ERROR, frame.message);
    } else if (frame.type.charCodeAt(0) === 36 /* $ */ || frame.type === 'ping') {
      this.#protocol(connection, frame);
    } else if (connection.phase === 'authenticating') {
      this.#refuse(connection, frame.id, ErrorCode.UNAUTHENTICATED);
    } else if (connection.receiveQueue.isSealed) {
      this.#refuseOnce(connection, frame.id, ErrorCode.UNAVAILABLE, 'the server restarts');
    } else if (!connection.receiveQueue.push(frame)) {
      this.#refuseOnce(connection, frame.id, ErrorCode.RATE_LIMITED, 'too many messages wait to be handled');
    }
  }

  /** Called for every ping of a client; those above its rate are not answered. */
  receivePing(connection: GatewayConnection, data: Buffer): void {
    if (!connection.isOpen) this.#ignore(connection, data);
    else if (this.#passes(connection, undefined, 1, data.length)) connection.pong(data);
  }

  /** Called for every message when its turn has come. */
  handle(connection: GatewayConnection, frame: ClientFrame): void | Promise<void> {
    const handler = connection.route.handlers.get(frame.type);
    if (handler === undefined) {
      this.#refuse(connection, frame.id, ErrorCode.UNKNOWN_TYPE);
      return;
    }
    connection.consecutiveErrors = 0;
    return this.dispatcher.dispatch(handler.source, connection, frame);
  }

  /** These do not wait behind messages: a handler may itself be waiting for one of them. */
  #protocol(connection: GatewayConnection, frame: ClientFrame): void {
    switch (frame.type) {
      case 'ping':
        connection.sendText(encodePong(frame.id));
        return;
      case '$auth':
        this.onAuth(connection, frame);
        return;
      case '$resume':
        this.resumption.receive(connection, frame);
        return;
      case '$reply':
        this.requests
          .replied(connection, frame.id, frame.payload)
          .then((isAwaited) => this.#noteAnswer(isAwaited))
          .catch((error: unknown) => this.#reportAnswer(connection, error));
        return;
      case '$error':
        this.#noteAnswer(this.requests.refused(connection, frame.id, frame.payload));
        return;
      case '$cancel':
        if (frame.id !== undefined) this.#cancel(connection, frame.id);
        return;
      default:
        this.#refuse(connection, frame.id, ErrorCode.UNKNOWN_TYPE);
    }
  }

  #reportAnswer({ id, path, userId }: GatewayConnection, error: unknown): void {
    this.log.failure('answer failed', { type: '$reply', path, connection: id, user: userId }, error);
  }

  /** A handler that still runs may return its stream later. */
  #cancel(connection: GatewayConnection, id: MessageId): void {
    if (this.streams.cancel(connection, id)) return;
    const unanswered = connection.receiveQueue.unanswered(id);
    if (unanswered !== undefined) this.streams.cancelUnanswered(unanswered);
  }

  /** An answer that comes too late, or to nothing, changes nothing; it is only counted. */
  #noteAnswer(isAwaited: boolean): void {
    if (!isAwaited) this.metrics.answersIgnored.add();
  }

  /** What was on its way when the connection was closed may still come; who goes on sending is cut off. */
  #ignore(connection: GatewayConnection, data: Buffer): void {
    connection.ignoredBytes += FRAME_COST + data.length;
    if (connection.ignoredBytes > MAX_IGNORED_BYTES) connection.terminate();
  }

  /** Whether the connection is within its rate; tells it when not. */
  #passes(connection: GatewayConnection, id: MessageId | undefined, cost: number, bytes: number): boolean {
    const verdict = this.rateLimiter.take(connection.allowance, cost, bytes);
    if (verdict === 'passed') return true;
    this.#refuseOnce(connection, id, ErrorCode.RATE_LIMITED, defaultErrorMessage(ErrorCode.RATE_LIMITED));
    if (verdict === 'exhausted') connection.close(CloseCode.RATE_LIMITED, 'retry=5000');
    return false;
  }

  #refuse(
    connection: GatewayConnection,
    id: MessageId | undefined,
    code: ErrorCode,
    message = defaultErrorMessage(code),
  ): void {
    this.#refuseOnce(connection, id, code, message);
    if (++connection.consecutiveErrors >= this.settings.maxProtocolErrors) {
      connection.close(CloseCode.TOO_MANY_ERRORS, 'too many frames were no messages');
    }
  }

  #refuseOnce(
    connection: GatewayConnection,
    id: MessageId | undefined,
    code: ErrorCode,
    message: string,
  ): void {
    this.refusals.message(code, () =>
      logLine('message refused', { connection: connection.id, code, why: message }),
    );
    connection.sendText(encodeError(id, { code, message }));
  }
}
