import type { Connection } from '../connections/connection.js';
import { encodeAnswer } from '../protocol/codec.js';
import type { ClientFrame, MessageId } from '../protocol/envelope.js';

/** What a message was answered, apart from its id. */
export interface Answer {
  readonly type: '$reply' | '$error';
  /** JSON. */
  readonly payload: string;
}

export interface AnswerMemorySettings {
  /** How long an answer is remembered. */
  readonly ttlMs: number;
  /** How many are; the oldest go first. */
  readonly maxAnswers: number;
}

interface Remembered {
  readonly since: number;
  answer: Answer | undefined;
  /** Who asked again before there was an answer. */
  readonly asking: { connection: Connection; id: MessageId | undefined }[];
}

// All answers together, in characters: large replies must not add up to the memory of the process.
const MAX_LENGTH = 16_777_216;

/**
 * Makes a message with a `key` count once: a client that lost its connection before the answer came sends it again, in
 * the same session, and gets the answer of the first time (the idempotency keys of the IETF httpapi draft).
 */
export class AnswerMemory {
  readonly #remembered = new Map<string, Remembered>();
  #length = 0;

  constructor(private readonly settings: AnswerMemorySettings | false) {}

  get size(): number {
    return this.#remembered.size;
  }

  /** True when the message has come before: its answer is sent now, or when it is there. */
  recall(connection: Connection, frame: ClientFrame): boolean {
    if (this.settings === false) return false;
    const name = nameOf(connection, frame);
    const known = this.#remembered.get(name);
    if (known !== undefined && performance.now() - known.since < this.settings.ttlMs) {
      if (known.answer === undefined) known.asking.push({ connection, id: frame.id });
      else send(connection, frame.id, known.answer);
      return true;
    }
    this.#drop(name);
    this.#remembered.set(name, { since: performance.now(), answer: undefined, asking: [] });
    this.#forgetOld(this.settings);
    return false;
  }

  /** Keeps the answer of a message that `recall` had not seen. */
  remember(connection: Connection, frame: ClientFrame, answer: Answer): void {
    const known = this.#remembered.get(nameOf(connection, frame));
    if (known === undefined) return;
    known.answer = answer;
    this.#length += answer.payload.length;
    for (const { connection: again, id } of known.asking.splice(0)) send(again, id, answer);
  }

  /** For a message whose answer cannot be kept, a reply in parts. */
  forget(connection: Connection, frame: ClientFrame): void {
    this.#drop(nameOf(connection, frame));
  }

  #forgetOld({ ttlMs, maxAnswers }: AnswerMemorySettings): void {
    const deadline = performance.now() - ttlMs;
    for (const [name, { since }] of this.#remembered) {
      if (since > deadline && this.#remembered.size <= maxAnswers && this.#length <= MAX_LENGTH) return;
      this.#drop(name);
    }
  }

  #drop(name: string): void {
    this.#length -= this.#remembered.get(name)?.answer?.payload.length ?? 0;
    this.#remembered.delete(name);
  }
}

// The user is part of it: a session id alone must not give one user another's answer.
function nameOf({ userId = '', sessionId }: Connection, { key = '' }: ClientFrame): string {
  return `${sessionId} ${key} ${userId}`;
}

function send(connection: Connection, id: MessageId | undefined, { type, payload }: Answer): void {
  if (id !== undefined) connection.sendText(encodeAnswer(type, id, payload));
}
