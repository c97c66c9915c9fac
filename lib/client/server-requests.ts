import type { MessageId, ServerRequest, WireError } from '../protocol/envelope.js';
import type { Link } from './link.js';
import { RequestError } from './request-error.js';

export type Answer = (payload: unknown) => unknown;

/** Answers what the server asks, on the link on which it asked. */
export class ServerRequests {
  readonly #answers = new Map<string, Answer>();

  /** Throws when the type is answered already: one question has one answer. */
  add(type: string, answer: Answer): () => void {
    if (this.#answers.has(type))
      throw new Error(`onRequest("${type}") is taken: remove the other one first.`);
    this.#answers.set(type, answer);
    return () => void (this.#answers.get(type) === answer && this.#answers.delete(type));
  }

  async answer(link: Link, id: MessageId, { type, payload }: ServerRequest): Promise<void> {
    let text: string;
    try {
      const answer = this.#answers.get(type);
      if (answer === undefined) throw new RequestError('UNKNOWN_TYPE', 'this client answers no such request');
      text = JSON.stringify({ type: '$reply', id, payload: (await answer(payload)) ?? null });
    } catch (error) {
      text = JSON.stringify({ type: '$error', id, payload: wireErrorOf(error) });
    }
    if (link.isOpen) link.send(text);
  }
}

/** Only what was thrown for the server is told to it. */
function wireErrorOf(error: unknown): WireError {
  if (!(error instanceof RequestError)) return { code: 'INTERNAL', message: 'the client failed to answer' };
  const { code, message, issues } = error;
  return issues === undefined ? { code, message } : { code, message, issues };
}
