import { isObservable, type Observable, type Subscription } from 'rxjs';
import type { Connection } from '../connections/connection.js';
import { encodeComplete, encodeNext } from '../protocol/codec.js';
import type { MessageId } from '../protocol/envelope.js';
import { ErrorCode } from '../protocol/error-codes.js';
import { RealtimeException } from './realtime.exception.js';
import type { ReplySource } from './returned-value.js';

/** Who is told when a source breaks. */
export interface StreamFailures {
  /** It failed while the client was listening, who is to hear of it. */
  readonly onError: (error: unknown) => void;
  /** It failed while it was stopped: its reply has ended, so only the log is left. */
  readonly onStopError: (error: unknown) => void;
}

/** One reply in parts on its way: `$next` for each, then `$complete`, or what `onError` says. */
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
    if (this.#ended || this.id === undefined) return;
    let text: string;
    try {
      text = encodeNext(this.id, value);
    } catch (error) {
      this.fail(error);
      this.#stopSource();
      return;
    }
    this.connection.sendText(text);
  }

  complete(): void {
    if (this.#end()) this.#sayComplete();
  }

  fail(error: unknown): void {
    if (this.#end()) this.failures.onError(error);
  }

  /** Ends the reply from the client's side. */
  stop(): void {
    if (!this.#end()) return;
    this.#stopSource();
    this.#sayComplete();
  }

  #sayComplete(): void {
    if (this.id !== undefined) this.connection.sendText(encodeComplete(this.id));
  }

  // A microtask later even a source that speaks while it is being subscribed to has something to unsubscribe from.
  // Whatever the app's clean-up throws must reach neither the client nor the socket's listeners.
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

type StreamKey = MessageId | symbol;

/** The replies in parts that are running, by connection and message id. */
export class ReplyStreams {
  readonly #running = new WeakMap<Connection, Map<StreamKey, ReplyStream>>();

  /** Begins a reply in parts; throws when the id already names one that runs. */
  open(
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
    const stream = new ReplyStream(connection, id, stopSource, failures, () => running.delete(key));
    running.set(key, stream);
    return stream;
  }

  /** Sends all of a source; for a message without an id it runs to its end and is heard by nobody. */
  pipe(
    connection: Connection,
    id: MessageId | undefined,
    source: ReplySource,
    failures: StreamFailures,
  ): void {
    if (isObservable(source)) this.#subscribe(connection, id, source, failures);
    else this.#pump(connection, id, source, failures);
  }

  /** Stops one; the client asked with `$cancel`. */
  cancel(connection: Connection, id: MessageId): void {
    this.#running.get(connection)?.get(id)?.stop();
  }

  /** Stops every one of a connection that is gone. */
  stopAll(connection: Connection): void {
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

  #subscribe(
    connection: Connection,
    id: MessageId | undefined,
    source: Observable<unknown>,
    failures: StreamFailures,
  ): void {
    let subscription: Subscription | undefined;
    const stream = this.open(connection, id, () => subscription?.unsubscribe(), failures);
    subscription = source.subscribe({
      next: (value) => stream.next(value),
      error: (error: unknown) => stream.fail(error),
      complete: () => stream.complete(),
    });
  }

  #pump(
    connection: Connection,
    id: MessageId | undefined,
    source: AsyncIterable<unknown>,
    failures: StreamFailures,
  ): void {
    const iterator = source[Symbol.asyncIterator]();
    const stream = this.open(connection, id, () => iterator.return?.(), failures);
    const run = async (): Promise<void> => {
      while (!stream.ended) {
        const { done, value } = await iterator.next();
        if (done === true) return stream.complete();
        stream.next(value);
        // The source is asked for more only as fast as the client reads.
        await connection.drained();
      }
    };
    run().catch((error: unknown) => stream.fail(error));
  }
}
