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
import type { ServerRequest } from '../protocol/envelope.js';
import type { ClientParts } from './client-parts.js';
import { CoreClient } from './core-client.js';
import { onAbort } from './environment.js';
import { AsyncQueue } from './async-queue.js';
import { Handover } from './handover.js';
import { encode } from './json.js';
import type { ClientConnection, ServerFrame } from './client-connection.js';
import { Renewal } from './renewal.js';
import { ClosedError } from './request-error.js';
import type { PayloadArguments, WaitOptions } from './send.options.js';
import { ServerRequests } from './server-requests.js';
import { stream } from './stream.js';

const ANY = '$any';
const PARTS: ClientParts = { encode, Handover, Renewal };

/** The other end of a `@RealtimeGateway`, typed by its contract. It connects when first used and comes back by itself. */
export class RealtimeClient<C extends AnyContract = AnyContract> extends CoreClient<C> {
  readonly #requests = new ServerRequests((error) => {
    this.options.clock.setTimeout(() => {
      throw error;
    }, 0);
  });

  /** PendingRequests back for every message of the server, as a union told apart by `type`. */
  onAny(tell: (message: ServerMessage<C>) => void): () => void {
    this.use();
    return this.listeners.add(ANY, tell);
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

  /** Every message of a type from now on, for `for await`; it ends when the client closes. */
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
    return stream<ClientReply<C, T>>(this.requests, this.options.maxBuffered, type, payload, options ?? {});
  }

  /** Answers a request of the server; throw a `RequestError` to refuse it. One answer per type. */
  onRequest<T extends RequestableType<C>>(
    type: T,
    answer: (payload: ServerPayload<C, T>) => ClientAnswer<C, T> | Promise<ClientAnswer<C, T>>,
  ): () => void {
    this.use();
    return this.#requests.add(type, answer as (payload: unknown) => unknown);
  }

  protected override parts(): ClientParts {
    return PARTS;
  }

  protected override receive(connection: ClientConnection, frame: ServerFrame): void {
    super.receive(connection, frame);
    const { type, id, payload } = frame;
    if (type === '$request') void this.#requests.answer(connection, id!, payload as ServerRequest);
    else if (type[0] !== '$' && type !== 'pong') this.listeners.emit(ANY, frame);
  }

  /** Listens until it is stopped, or ends by the signal or with the client. */
  #listen<T extends ServerType<C>>(
    type: T,
    { signal }: WaitOptions = {},
    onEnd: (error: unknown) => void,
    tell: (payload: ServerPayload<C, T>) => void,
  ): () => void {
    const end = (error: unknown) => {
      stop();
      onEnd(error);
    };
    const stops = [
      this.on(type, tell),
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
