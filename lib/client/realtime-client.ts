import type {
  AnyContract,
  ClientAnswer,
  ClientPayload,
  ClientReply,
  ClientType,
  RequestableType,
  ServerMessage,
  ServerPayload,
  ServerType,
} from '../contract/contract-types.js';
import type { ClientParts } from './client-parts.js';
import { CoreClient } from './core-client.js';
import { onAbort } from './environment.js';
import { AsyncQueue } from './async-queue.js';
import { Handover } from './handover.js';
import { encode } from './json.js';
import type { ServerFrame } from './client-connection.js';
import type { Address, RealtimeClientOptions } from './client.options.js';
import { Positions } from './positions.js';
import { Renewal } from './renewal.js';
import { ClosedError } from './request-error.js';
import type { PayloadArguments, WaitOptions } from './send.options.js';
import { ServerRequests } from './server-requests.js';
import { stream } from './stream.js';

const ANY = '$any';
const PARTS: ClientParts = { encode, Handover, Positions, Renewal };

/** The client of a `@RealtimeGateway`, typed by its contract. It connects when first used and reconnects by itself. */
export class RealtimeClient<C extends AnyContract = AnyContract> extends CoreClient<C> {
  readonly #serverRequests = new ServerRequests((error) => {
    this.options.clock.setTimeout(() => {
      throw error;
    }, 0);
  });

  constructor(address: Address, options?: RealtimeClientOptions) {
    super(address, options);
    this.handlers.set(
      '$request',
      (frame, connection) => void this.#serverRequests.receive(connection, frame),
    );
  }

  /** Calls `listener` for every message of the server, a union by `type`; the returned function removes it. */
  onAny(listener: (message: ServerMessage<C>) => void): () => void {
    this.use();
    return this.listeners.add(ANY, listener);
  }

  /** The next message of a type; rejects with the signal's reason, or with a `ClosedError`. */
  once<T extends ServerType<C>>(type: T, options?: WaitOptions): Promise<ServerPayload<C, T>> {
    return new Promise((resolve, reject) => {
      const stop = this.#listen(type, options, reject, (payload) => {
        stop();
        resolve(payload);
      });
    });
  }

  /** Every message of a type from now on, for `for await`; the iteration ends when the client closes. */
  messages<T extends ServerType<C>>(
    type: T,
    options?: WaitOptions,
  ): AsyncIterableIterator<ServerPayload<C, T>, undefined> {
    const queue = new AsyncQueue<ServerPayload<C, T>>(this.options.maxBuffered, () => stop());
    const end = (error: unknown) => queue.end(error instanceof ClosedError ? undefined : { error });
    const stop = this.#listen(type, options, end, (payload) => queue.push(payload));
    return queue;
  }

  /** Sends a message whose reply comes in parts. A `break` stops the server; a lost connection throws `DISCONNECTED`. */
  stream<T extends ClientType<C>>(
    type: T,
    ...[payload, options]: PayloadArguments<ClientPayload<C, T>, WaitOptions>
  ): AsyncIterableIterator<ClientReply<C, T>, undefined> {
    this.use();
    const { maxBuffered } = this.options;
    return stream<ClientReply<C, T>>(this.requests, type, payload, maxBuffered, options?.signal);
  }

  /** Replies to requests of the server; throw a `RequestError` to refuse one. One handler per type. */
  onRequest<T extends RequestableType<C>>(
    type: T,
    handler: (payload: ServerPayload<C, T>) => ClientAnswer<C, T> | Promise<ClientAnswer<C, T>>,
  ): () => void {
    this.use();
    return this.#serverRequests.add(type, handler as (payload: unknown) => unknown);
  }

  protected override parts(): ClientParts {
    return PARTS;
  }

  protected override deliver(frame: ServerFrame): void {
    super.deliver(frame);
    this.listeners.emit(ANY, frame);
  }

  /** Listens until stopped, aborted by the signal, or the client closes. */
  #listen<T extends ServerType<C>>(
    type: T,
    { signal }: WaitOptions = {},
    onEnd: (error: unknown) => void,
    listener: (payload: ServerPayload<C, T>) => void,
  ): () => void {
    const end = (error: unknown) => {
      stop();
      onEnd(error);
    };
    const stops = [
      this.on(type, listener),
      onAbort(signal, end),
      this.onStateChange((state) => {
        if (state.status === 'closed') end(new ClosedError(state));
      }),
    ];
    const stop = () => stops.forEach((stopOne) => stopOne());
    if (signal?.aborted) end(signal.reason);
    else if (this.state.status === 'closed') end(new ClosedError(this.state));
    return stop;
  }
}
