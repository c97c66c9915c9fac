import type { WireError } from '../protocol/envelope.js';
import type { Encode } from './json.js';
import type { ClientConnection, ServerFrame } from './client-connection.js';
import type { SendQueue, QueuedFrame } from './send-queue.js';
import { RequestError, requestErrorOf } from './request-error.js';
import type { Retry } from './send.options.js';

/** Gets the reply to a request. */
export interface ReplyListener {
  /** The payload of a `$reply` or `$next`. */
  onValue(value: unknown): void;
  /** The reply is complete: after a `$reply`, or by `$complete`. */
  onComplete(): void;
  onFailure(error: RequestError): void;
}

/** One message with an id. Its text is the same however often it is sent. */
export interface PendingRequest extends QueuedFrame {
  /** At most `max` requests wait for a connection. */
  send(max?: number): void;
  /** Ignores a reply that comes later. */
  forget(): void;
  /** Tells the server to stop, unless the reply is complete. */
  cancel(): void;
  receive(frame: ServerFrame): void;
}

/** Requests without a reply so far, in the order in which they were created. */
export class PendingRequests {
  readonly #pending = new Map<string, PendingRequest>();
  #count = 0;

  readonly #prefix: string;
  readonly #sendQueue: SendQueue;
  readonly #encode: Encode;

  /** The prefix makes ids differ from those of every other client of the session. */
  constructor(prefix: string, sendQueue: SendQueue, encode: Encode) {
    this.#encode = encode;
    this.#prefix = prefix;
    this.#sendQueue = sendQueue;
  }

  /** Creates a request; the caller sends it. */
  create(type: string, payload: unknown, retry: Retry, listener: ReplyListener): PendingRequest {
    const id = this.#prefix + ++this.#count;
    // With a `key`, the server handles the message once per session.
    const key = retry === 'never' ? undefined : id;
    const pending = this.#pending;
    const queue = this.#sendQueue;
    const request: PendingRequest = {
      text: this.#encode(type, payload, { id, key }),
      retry,
      connection: undefined,
      send(max) {
        pending.set(id, request);
        queue.push(request, max);
      },
      forget() {
        pending.delete(id);
        queue.remove(request);
      },
      cancel() {
        const { connection } = request;
        if (!pending.has(id)) return;
        request.forget();
        if (connection?.isOpen) connection.send(JSON.stringify({ type: '$cancel', id }));
      },
      unsent(reason) {
        request.forget();
        listener.onFailure(new RequestError(reason.toUpperCase(), `no reply: ${reason}`));
      },
      receive({ type: kind, payload: value }) {
        if (kind === '$next') return listener.onValue(value);
        request.forget();
        if (
          kind === '$error' &&
          key &&
          (value as WireError | null)?.code === 'UNAVAILABLE' &&
          !queue.isOpenOn(request.connection)
        ) {
          // It came too late for a server that is restarting, and was not handled: the next one gets it.
          request.connection = undefined;
          return request.send(Infinity);
        }
        if (kind === '$reply') listener.onValue(value);
        if (kind === '$reply' || kind === '$complete') listener.onComplete();
        else listener.onFailure(requestErrorOf(value as WireError));
      },
    };
    return request;
  }

  /** Gives a frame to the request with its id. False when there is none. */
  receive(frame: ServerFrame): boolean {
    const request = this.#pending.get(frame.id as string);
    request?.receive(frame);
    return request !== undefined;
  }

  /** Sends again what was sent on a connection that brings no more replies, or fails it. */
  lost(connection: ClientConnection): void {
    this.#sendQueue.shut(connection);
    for (const request of this.sentOn(connection))
      if (request.retry === 'never') request.unsent('disconnected');
    this.#sendQueue.putBack(this.sentOn(connection));
  }

  /** Fails every request. */
  clear(): void {
    for (const request of [...this.#pending.values()]) request.unsent('closed');
  }

  /** Requests whose reply is to come on this connection. */
  sentOn(connection: ClientConnection): QueuedFrame[] {
    return [...this.#pending.values()].filter((request) => request.connection === connection);
  }
}
