import type { WireError } from '../protocol/envelope.js';
import type { ClientParts } from './client-parts.js';
import type { ClientConnection, ServerFrame } from './client-connection.js';
import type { SendQueue, QueuedFrame } from './send-queue.js';
import { RequestError, requestErrorOf } from './request-error.js';
import type { Retry, UnsentReason } from './send.options.js';

/** Who waits for the answer of a call. */
export interface Caller {
  /** A `$reply`, or one `$next` of several. */
  onValue(value: unknown, isLast: boolean): void;
  /** A `$complete` after the last `$next`. */
  onComplete(): void;
  onFailure(error: RequestError): void;
}

/** One message that wants an answer. Its text stays the same however often it is sent. */
class Call implements QueuedFrame {
  connection: ClientConnection | undefined;

  readonly #pending: Map<string, Call>;
  readonly #sendQueue: SendQueue;

  constructor(
    readonly id: string,
    readonly text: string,
    readonly retry: Retry,
    readonly caller: Caller,
    pending: Map<string, Call>,
    sendQueue: SendQueue,
  ) {
    this.#pending = pending;
    this.#sendQueue = sendQueue;
  }

  post(): void {
    this.#pending.set(this.id, this);
    this.#sendQueue.post(this);
  }

  /** Its answer, if one comes, is not waited for any more. */
  forget(): void {
    this.#pending.delete(this.id);
    this.#sendQueue.withdraw(this);
  }

  /** Forgets it, and tells the server to stop answering. */
  cancel(): void {
    if (!this.#pending.has(this.id)) return;
    this.forget();
    if (this.connection?.isOpen) this.connection.send(JSON.stringify({ type: '$cancel', id: this.id }));
  }

  sent(): void {}

  unsent(reason: UnsentReason | 'disconnected'): void {
    this.forget();
    this.caller.onFailure(new RequestError(reason.toUpperCase(), `no answer: ${reason}`));
  }

  answer({ type, payload }: ServerFrame): void {
    if (type === '$next') return this.caller.onValue(payload, false);
    this.forget();
    if (
      type === '$error' &&
      this.retry !== 'never' &&
      (payload as WireError | null)?.code === 'UNAVAILABLE' &&
      !this.#sendQueue.isOpenOn(this.connection)
    ) {
      // It came too late for a server that goes away, and was not done: it is for the next one.
      this.connection = undefined;
      return this.post();
    }
    if (type === '$reply') this.caller.onValue(payload, true);
    else if (type === '$complete') this.caller.onComplete();
    else this.caller.onFailure(requestErrorOf(payload as WireError));
  }
}

/** The requests that wait for their answers, in the order in which they were made. */
export class PendingRequests {
  readonly #pending = new Map<string, Call>();
  #count = 0;

  readonly #prefix: string;
  readonly #sendQueue: SendQueue;
  readonly #parts: ClientParts;

  /** The prefix keeps ids apart from those of every other client of the session. */
  constructor(prefix: string, sendQueue: SendQueue, parts: ClientParts) {
    this.#parts = parts;
    this.#prefix = prefix;
    this.#sendQueue = sendQueue;
  }

  make(type: string, payload: unknown, retry: Retry, caller: Caller): Call {
    const id = this.#prefix + ++this.#count;
    // `key` makes it count once in its session, however often it is sent.
    const key = retry === 'never' ? undefined : id;
    return new Call(
      id,
      this.#parts.encode(type, payload, { id, key }),
      retry,
      caller,
      this.#pending,
      this.#sendQueue,
    );
  }

  /** Gives a frame to the call it answers. False when it answers none. */
  answer(frame: ServerFrame): boolean {
    const call = this.#pending.get(frame.id as string);
    call?.answer(frame);
    return call !== undefined;
  }

  isAwaited(connection: ClientConnection): boolean {
    return this.#on(connection).length > 0;
  }

  /** Sends again what was sent on this connection, or fails it. */
  lost(connection: ClientConnection): void {
    const unanswered = this.#on(connection);
    for (const call of unanswered) if (call.retry === 'never') call.unsent('disconnected');
    this.#sendQueue.putBack(unanswered.filter(({ retry }) => retry !== 'never'));
  }

  /** Fails every call. */
  clear(): void {
    for (const call of [...this.#pending.values()]) call.unsent('closed');
  }

  #on(connection: ClientConnection): Call[] {
    return [...this.#pending.values()].filter((call) => call.connection === connection);
  }
}
