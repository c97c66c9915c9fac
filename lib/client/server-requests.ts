import type { MessageId, ServerRequest, WireError } from '../protocol/envelope.js';
import { encode } from './json.js';
import type { ClientConnection } from './client-connection.js';
import { RequestError } from './request-error.js';

export type Answer = (payload: unknown) => unknown;

/** Answers what the server asks, on the connection on which it asked. */
export class ServerRequests {
  readonly #answers = new Map<string, Answer>();
  readonly #onFault: (error: unknown) => void;

  /** What an answer throws that is not for the server is a fault of the page. */
  constructor(onFault: (error: unknown) => void) {
    this.#onFault = onFault;
  }

  /** Throws when the type is answered already: one question has one answer. */
  add(type: string, answer: Answer): () => void {
    if (this.#answers.has(type))
      throw new Error(`onRequest("${type}") is taken: remove the other one first.`);
    this.#answers.set(type, answer);
    return () => void (this.#answers.get(type) === answer && this.#answers.delete(type));
  }

  async answer(connection: ClientConnection, id: MessageId, request: ServerRequest): Promise<void> {
    let text: string;
    try {
      const { type, payload } = request;
      const answer = this.#answers.get(type);
      if (answer === undefined) throw new RequestError('UNKNOWN_TYPE', 'this client answers no such request');
      text = encode('$reply', (await answer(payload)) ?? null, { id });
    } catch (error) {
      if (!(error instanceof RequestError)) this.#onFault(error);
      text = JSON.stringify({ type: '$error', id, payload: wireErrorOf(error) });
    }
    if (connection.isOpen) connection.send(text);
  }
}

/** Only what was thrown for the server is told to it. */
function wireErrorOf(error: unknown): WireError {
  if (!(error instanceof RequestError)) return { code: 'INTERNAL', message: 'the client failed to answer' };
  const { code, message, details, issues } = error as RequestError;
  return { code, message, ...(details !== undefined && { details }), ...(issues && { issues }) };
}
