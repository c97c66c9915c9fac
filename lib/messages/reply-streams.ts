import { isObservable, Observable, takeWhile, type Subscription } from 'rxjs';
import type { Connection } from '../connections/connection.js';
import type { ConnectionObserver } from '../connections/connection-observer.js';
import { encodeComplete, encodeNext } from '../protocol/codec.js';
import type { ClientFrame, MessageId } from '../protocol/envelope.js';
import { ErrorCode } from '../protocol/error-codes.js';
import { pacedSource } from './paced-source.js';
import { RealtimeException } from './realtime.exception.js';
import type { ReplySource } from './returned-value.js';
import { RunningReply } from './running-reply.js';

/** Called when a source fails. */
export interface StreamFailures {
  /** The source failed while its reply was running: the client gets a `$error`. */
  readonly onError: (error: unknown) => void;
  /** The source failed while it was stopped: its reply has ended, so the error is only logged. */
  readonly onStopError: (error: unknown) => void;
}

/** One running streamed reply: `$next` for each value, then `$complete`, or `onError`. */
export class ReplyStream {
  #ended = false;

  constructor(
    readonly connection: Connection,
    private readonly id: MessageId | undefined,
    private readonly stopSource: () => unknown,
    private readonly failures: StreamFailures,
    private readonly forget: () => void,
  ) {}

  get ended(): boolean {
    return this.#ended;
  }

  next(value: unknown): void {
    if (this.#ended) return;
    if (!this.connection.isOpen) return this.stop();
    if (this.id === undefined) return;
    try {
      this.connection.sendText(encodeNext(this.id, value));
    } catch (error) {
      this.fail(error);
      this.#stopSource();
    }
  }

  complete(): void {
    if (this.#end()) this.#sendComplete();
  }

  fail(error: unknown): void {
    if (this.#end()) this.failures.onError(error);
  }

  /** Ends the reply from the client's side. */
  stop(): void {
    if (!this.#end()) return;
    this.#stopSource();
    this.#sendComplete();
  }

  #sendComplete(): void {
    if (this.id !== undefined) this.connection.sendText(encodeComplete(this.id));
  }

  // One microtask later, since a source that emits during subscribe has no subscription yet. What the app's clean-up
  // throws must reach neither the client nor the socket's listeners.
  #stopSource(): void {
    Promise.resolve().then(this.stopSource).catch(this.failures.onStopError);
  }

  #end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.forget();
    return true;
  }
}

export const REPLY_STREAMS_DEFAULTS = { maxStreams: 32 };

type StreamKey = MessageId | symbol;

/** The running streamed replies, by connection and message id. */
export class ReplyStreams implements ConnectionObserver {
  readonly #running = new WeakMap<Connection, Map<StreamKey, ReplyStream>>();

  readonly #cancelled = new WeakSet<ClientFrame>();

  /** `maxStreams` limits the streams that one connection runs at a time. */
  constructor(private readonly maxStreams: number) {}

  /**
   * Sends the values of a source; for a message without an id the source runs and nothing is sent. Stops the source and
   * throws when a stream with this id or `maxStreams` streams are running.
   */
  pipe(
    connection: Connection,
    id: MessageId | undefined,
    source: ReplySource | RunningReply,
    failures: StreamFailures,
  ): void {
    let subscription: Subscription | undefined;
    let stream: ReplyStream;
    try {
      stream = this.#open(connection, id, () => subscription?.unsubscribe(), failures);
    } catch (error) {
      this.discard(source, failures.onStopError);
      throw error;
    }
    subscription = partsOf(source, connection, failures.onStopError)
      // A source that emits synchronously can be stopped only from within.
      .pipe(takeWhile(() => !stream.ended))
      .subscribe({
        next: (value) => stream.next(value),
        error: (error: unknown) => stream.fail(error),
        complete: () => stream.complete(),
      });
  }

  /** Ends a source whose reply is not sent. */
  discard(source: ReplySource | RunningReply, onStopError: (error: unknown) => void): void {
    const stop = async (): Promise<void> => {
      if (source instanceof RunningReply) source.stop();
      else if (!isObservable(source)) await source[Symbol.asyncIterator]().return?.();
    };
    stop().catch(onStopError);
  }

  /** Stops the stream that the client cancels; false when no stream with this id is running. */
  cancel(connection: Connection, id: MessageId): boolean {
    const stream = this.#running.get(connection)?.get(id);
    stream?.stop();
    return stream !== undefined;
  }

  /** Remembers that the client cancelled a message whose handler has not returned its stream yet. */
  cancelPending(frame: ClientFrame): void {
    this.#cancelled.add(frame);
  }

  isCancelled(frame: ClientFrame): boolean {
    return this.#cancelled.has(frame);
  }

  /** Stops every stream of a connection that has closed. */
  closed(connection: Connection): void {
    const running = this.#running.get(connection);
    if (running === undefined) return;
    this.#running.delete(connection);
    for (const stream of [...running.values()]) stream.stop();
  }

  #runningOf(connection: Connection): Map<StreamKey, ReplyStream> {
    const known = this.#running.get(connection);
    if (known !== undefined) return known;
    const running = new Map<StreamKey, ReplyStream>();
    this.#running.set(connection, running);
    return running;
  }

  #open(
    connection: Connection,
    id: MessageId | undefined,
    stopSource: () => unknown,
    failures: StreamFailures,
  ): ReplyStream {
    const running = this.#runningOf(connection);
    const key: StreamKey = id ?? Symbol('no id');
    if (running.has(key)) {
      throw new RealtimeException(ErrorCode.BAD_REQUEST, 'a streamed reply with this id is still running');
    }
    if (running.size >= this.maxStreams) {
      throw new RealtimeException(
        ErrorCode.RATE_LIMITED,
        `${running.size} streamed replies are running: cancel one or wait for its end`,
      );
    }
    const stream = new ReplyStream(connection, id, stopSource, failures, () => running.delete(key));
    running.set(key, stream);
    return stream;
  }
}

function partsOf(
  source: ReplySource | RunningReply,
  connection: Connection,
  onStopError: (error: unknown) => void,
): Observable<unknown> {
  if (source instanceof RunningReply) return source.parts;
  if (!isObservable(source)) return pacedSource(source, connection, onStopError);
  // It may come from another copy of rxjs; what it throws during subscribe is an error like any other.
  return new Observable((subscriber) => source.subscribe(subscriber));
}
