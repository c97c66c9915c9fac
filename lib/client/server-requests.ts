import type { MessageId, ServerRequest, WireError } from '../protocol/envelope.js';
import type { ClientConnection, ServerFrame } from './client-connection.js';
import { encode } from './json.js';
import { RequestError } from './request-error.js';
import { exceeds } from './send-queue.js';

export type RequestHandler = (payload: unknown) => unknown;

/** Replies to requests of the server, on the connection they came on. */
export class ServerRequests {
  readonly #handlers = new Map<string, RequestHandler>();
  readonly #onFault: (error: unknown) => void;

  /** `onFault` gets what a handler throws other than a `RequestError`. */
  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** Throws when the type has a handler: a request has one reply. */
  add(type: string, handler: RequestHandler): () => void {
    if (this.#handlers.has(type))
      throw new Error(`onRequest("${type}") is taken: remove the other one first.`);
    this.#handlers.set(type, handler);
    return () => void (this.#handlers.get(type) === handler && this.#handlers.delete(type));
  }

  async receive(connection: ClientConnection, { id, payload }: ServerFrame): Promise<void> {
    const { maxPayloadBytes } = connection.hello!;
    let text: string;
    try {
      const request = (payload ?? {}) as ServerRequest;
      const handler = this.#handlers.get(request.type);
      if (handler === undefined) throw new RequestError('UNKNOWN_TYPE', 'this client has no such handler');
      text = encode('$reply', (await handler(request.payload)) ?? null, { id });
      // The server would close with 1009, after which the client does not come back.
      if (exceeds(text, maxPayloadBytes)) throw new RequestError('TOO_LARGE', 'the reply is too large');
    } catch (error) {
      text = this.#encodeError(error, id, maxPayloadBytes);
    }
    if (connection.isOpen) connection.send(text);
  }

  #encodeError(error: unknown, id: MessageId | undefined, maxPayloadBytes: number): string {
    if (!(error instanceof RequestError)) this.#onFault(error);
    try {
      const text = encode('$error', wireErrorOf(error), { id });
      if (!exceeds(text, maxPayloadBytes)) return text;
      return encode('$error', { code: 'TOO_LARGE', message: 'the error is too large' }, { id });
    } catch (fault) {
      // Details that JSON cannot carry.
      return this.#encodeError(fault, id, maxPayloadBytes);
    }
  }
}

/** Only a `RequestError` shows its text to the server. */
function wireErrorOf(error: unknown): WireError {
  if (!(error instanceof RequestError)) return { code: 'INTERNAL', message: 'the client failed to reply' };
  const { code, message, details, issues } = error as RequestError;
  return { code, message, ...(details !== undefined && { details }), ...(issues && { issues }) };
}
