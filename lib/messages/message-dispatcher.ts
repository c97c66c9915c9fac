import type { Connection } from '../connections/connection.js';
import { encodeWithId, encodeComplete, encodeError, encodePayload, encodeReply } from '../protocol/codec.js';
import { errorTextOf } from '../metrics/error-text.js';
import { logLine } from '../metrics/log-line.js';
import type { RealtimeLog } from '../metrics/realtime-log.js';
import type { RealtimeMetrics } from '../metrics/realtime-metrics.js';
import type { Refusals } from '../metrics/refusals.js';
import type { ClientFrame, WireError } from '../protocol/envelope.js';
import { defaultErrorMessage, ErrorCode } from '../protocol/error-codes.js';
import type { StoredReply } from './session-replies.js';
import type { IdempotencyCache } from './idempotency-cache.js';
import type { MessageArgs, MessageHandler, OnStopError } from './message-handler.js';
import type { ReplyStreams } from './reply-streams.js';
import { isPromiseLike, isReplySource } from './returned-value.js';
import { RunningReply } from './running-reply.js';
import { refusalOf } from './wire-error.js';

/** Where the handler of a message comes from: always the same one, or one per connection for a scoped gateway. */
export interface HandlerSource {
  handlerFor(connection: Connection): MessageHandler | Promise<MessageHandler>;
}

// The length to which the message of a `$error` that is too large is cut.
const MAX_SHORT_MESSAGE = 1_000;

/** Runs a message through its handler and sends its one reply. Never throws, never rejects. */
export class MessageDispatcher {
  constructor(
    private readonly streams: ReplyStreams,
    private readonly idempotency: IdempotencyCache,
    private readonly metrics: RealtimeMetrics,
    private readonly refusals: Refusals,
    private readonly log: RealtimeLog,
  ) {}

  /** Returns a promise only for an asynchronous handler; it resolves when the next message may be handled. */
  dispatch(
    source: HandlerSource | undefined,
    connection: Connection,
    frame: ClientFrame,
  ): void | Promise<void> {
    if (source === undefined) {
      this.#refuseUnknown(connection, frame);
      return;
    }
    if (frame.key !== undefined && this.idempotency.recall(connection, frame)) return;
    const startedAt = performance.now();
    const pending = this.#dispatch(source, connection, frame);
    if (pending !== undefined) return pending.then(() => this.#observe(startedAt));
    this.#observe(startedAt);
  }

  #observe(startedAt: number): void {
    this.metrics.handlerDuration.observe((performance.now() - startedAt) / 1_000);
  }

  #dispatch(source: HandlerSource, connection: Connection, frame: ClientFrame): void | Promise<void> {
    let handler: MessageHandler | Promise<MessageHandler>;
    try {
      handler = source.handlerFor(connection);
    } catch (error) {
      return this.#refuse(connection, frame, error);
    }
    if (!(handler instanceof Promise)) return this.#invoke(handler, connection, frame);
    return handler.then(
      (scoped) => this.#invoke(scoped, connection, frame),
      (error: unknown) => this.#refuse(connection, frame, error),
    );
  }

  #invoke(handler: MessageHandler, connection: Connection, frame: ClientFrame): void | Promise<void> {
    const args: MessageArgs = [connection, frame.payload, frame.type];
    let result: unknown;
    try {
      result = handler.invoke(args, this.#onStopError);
      if (!isPromiseLike(result)) return this.#reply(handler, args, connection, frame, result);
    } catch (error) {
      return this.#filter(handler, args, connection, frame, error);
    }
    return Promise.resolve(result).then(
      (value) => this.#reply(handler, args, connection, frame, value),
      (error: unknown) => this.#filter(handler, args, connection, frame, error),
    );
  }

  #reply(
    handler: MessageHandler,
    args: MessageArgs,
    connection: Connection,
    frame: ClientFrame,
    value: unknown,
  ): void | Promise<void> {
    const { id } = frame;
    try {
      if (!(value instanceof RunningReply || isReplySource(value))) {
        if (frame.key !== undefined) this.#replyOnce(connection, frame, '$reply', value);
        else if (id !== undefined) connection.sendText(encodeReply(id, value, frame.type));
        return;
      }
      if (frame.key !== undefined) this.idempotency.abandon(frame);
      if (connection.isOpen && !this.streams.isCancelled(frame)) {
        this.streams.pipe(connection, id, value, {
          onError: (error) => void this.#filter(handler, args, connection, frame, error),
          onStopError: (error) => this.#onStopError(args, error),
        });
      } else {
        this.streams.discard(value, (error) => this.#onStopError(args, error));
        if (id !== undefined) connection.sendText(encodeComplete(id));
      }
    } catch (error) {
      return this.#filter(handler, args, connection, frame, error);
    }
  }

  #filter(
    handler: MessageHandler,
    args: MessageArgs,
    connection: Connection,
    frame: ClientFrame,
    error: unknown,
  ): void | Promise<void> {
    if (!handler.hasFilters) return this.#refuse(connection, frame, error);
    return handler.filter(error, args).then(({ error: filtered }) => {
      // A filter that throws a fault of its own (one made for HTTP) must not hide the handler's error.
      const { isFault } = refusalOf(filtered);
      if (isFault && filtered !== error) this.#report('exception filter failed', connection, frame, filtered);
      this.#refuse(connection, frame, isFault ? error : filtered);
    });
  }

  /** The type is text of the client, and is not logged. */
  #refuseUnknown(connection: Connection, { id }: ClientFrame): void {
    const code = ErrorCode.UNKNOWN_TYPE;
    const message = defaultErrorMessage(code);
    this.refusals.message(code, () =>
      logLine('message refused', { connection: connection.id, code, why: message }),
    );
    connection.sendText(encodeError(id, { code, message }));
  }

  #refuse(connection: Connection, frame: ClientFrame, thrown: unknown): void {
    const { error, isFault, omitted, cause } = refusalOf(thrown);
    try {
      this.#sendError(connection, frame, error);
    } catch (tooLarge) {
      const { code, message } = error;
      this.#sendError(connection, frame, { code, message: message.slice(0, MAX_SHORT_MESSAGE) });
      this.#report('refusal shortened', connection, frame, tooLarge);
    }
    if (isFault) this.#report('handler failed', connection, frame, thrown);
    if (omitted !== undefined) this.#report('refusal shortened', connection, frame, new TypeError(omitted));
    this.refusals.message(error.code, () =>
      logLine('message refused', {
        ...fieldsOf(connection, frame),
        code: error.code,
        cause: cause === undefined ? undefined : errorTextOf(cause).summary,
      }),
    );
  }

  #sendError(connection: Connection, frame: ClientFrame, error: WireError): void {
    if (frame.key !== undefined) this.#replyOnce(connection, frame, '$error', error);
    else connection.sendText(encodeError(frame.id, error));
  }

  readonly #onStopError: OnStopError = ([{ path, id, userId }, , type], error) =>
    this.log.failure('stream clean-up failed', { type, path, connection: id, user: userId }, error);

  #report(event: string, connection: Connection, frame: ClientFrame, thrown: unknown): void {
    this.log.failure(event, fieldsOf(connection, frame), thrown);
  }

  #replyOnce(connection: Connection, frame: ClientFrame, type: StoredReply['type'], value: unknown): void {
    const payload =
      type === '$error' ? JSON.stringify(value) : encodePayload(value, 'the reply to', frame.type);
    // Sent first: a reply that is too large to send is not stored.
    if (frame.id !== undefined) connection.sendText(encodeWithId(type, frame.id, payload));
    else if (type === '$error') connection.sendText(encodeError(undefined, value as WireError));
    this.idempotency.settle(frame, { type, payload });
  }
}

function fieldsOf({ path, id, userId }: Connection, { type }: ClientFrame) {
  return { type, path, connection: id, user: userId };
}
