import type { WireError } from '../protocol/envelope.js';
import type { ClientParts } from './client-parts.js';
import type { Link, ServerFrame } from './link.js';
import type { Outbox, Parcel } from './outbox.js';
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
class Call implements Parcel {
  link: Link | undefined;

  readonly #pending: Map<string, Call>;
  readonly #outbox: Outbox;

  constructor(
    readonly id: string,
    readonly text: string,
    readonly retry: Retry,
    readonly caller: Caller,
    pending: Map<string, Call>,
    outbox: Outbox,
  ) {
    this.#pending = pending;
    this.#outbox = outbox;
  }

  post(): void {
    this.#pending.set(this.id, this);
    this.#outbox.post(this);
  }

  /** Its answer, if one comes, is not waited for any more. */
  forget(): void {
    this.#pending.delete(this.id);
    this.#outbox.withdraw(this);
  }

  /** Forgets it, and tells the server to stop answering. */
  cancel(): void {
    if (!this.#pending.has(this.id)) return;
    this.forget();
    if (this.link?.isOpen) this.link.send(JSON.stringify({ type: '$cancel', id: this.id }));
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
      !this.#outbox.isOpenOn(this.link)
    ) {
      // It came too late for a server that goes away, and was not done: it is for the next one.
      this.link = undefined;
      return this.post();
    }
    if (type === '$reply') this.caller.onValue(payload, true);
    else if (type === '$complete') this.caller.onComplete();
    else this.caller.onFailure(requestErrorOf(payload as WireError));
  }
}

/** The calls that wait for their answers, in the order in which they were made. */
export class Calls {
  readonly #pending = new Map<string, Call>();
  #count = 0;

  readonly #prefix: string;
  readonly #outbox: Outbox;
  readonly #parts: ClientParts;

  /** The prefix keeps ids apart from those of every other client of the session. */
  constructor(prefix: string, outbox: Outbox, parts: ClientParts) {
    this.#parts = parts;
    this.#prefix = prefix;
    this.#outbox = outbox;
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
      this.#outbox,
    );
  }

  /** Gives a frame to the call it answers. False when it answers none. */
  answer(frame: ServerFrame): boolean {
    const call = this.#pending.get(frame.id as string);
    call?.answer(frame);
    return call !== undefined;
  }

  isAwaited(link: Link): boolean {
    return this.#on(link).length > 0;
  }

  /** Sends again what was sent on this link, or fails it. */
  lost(link: Link): void {
    const unanswered = this.#on(link);
    for (const call of unanswered) if (call.retry === 'never') call.unsent('disconnected');
    this.#outbox.putBack(unanswered.filter(({ retry }) => retry !== 'never'));
  }

  /** Fails every call. */
  clear(): void {
    for (const call of [...this.#pending.values()]) call.unsent('closed');
  }

  #on(link: Link): Call[] {
    return [...this.#pending.values()].filter((call) => call.link === link);
  }
}
