import type { Connection } from '../connections/connection.js';
import type { MessageId } from '../protocol/envelope.js';

/** What a message was answered, apart from its id. */
export interface Answer {
  readonly type: '$reply' | '$error';
  /** JSON. */
  readonly payload: string;
}

/** A message with a `key` whose handler has not ended, and the repeats of it that wait for the same answer. */
export interface RunningMessage {
  readonly session: AnsweredSession;
  readonly key: string;
  readonly waiting: { readonly connection: Connection; readonly id: MessageId }[];
}

interface KeptAnswer {
  readonly answer: Answer;
  readonly at: number;
  readonly bytes: number;
}

// The entry with its objects, apart from the texts.
const ENTRY_BYTES = 256;

/** The answers of one session by `key`, and when some of them were dropped. */
export class AnsweredSession {
  readonly running = new Map<string, RunningMessage>();
  /** When its last connection ended; it may have one again. */
  endedAt = -Infinity;
  bytes = 0;
  /** Oldest first. */
  readonly #answers = new Map<string, KeptAnswer>();
  #answeredAt = -Infinity;
  /** The newest answer that is not held any more was given then. */
  #forgottenAt = -Infinity;

  constructor(
    readonly id: string,
    readonly userId: string | undefined,
  ) {}

  get answers(): number {
    return this.#answers.size;
  }

  answerTo(key: string): Answer | undefined {
    return this.#answers.get(key)?.answer;
  }

  keep(key: string, answer: Answer, now: number, ttlMs: number): void {
    const bytes = ENTRY_BYTES + 2 * (key.length + answer.payload.length);
    this.#answers.set(key, { answer, at: now, bytes });
    this.#answeredAt = now;
    this.bytes += bytes;
    this.#expire(ttlMs, now);
  }

  /** Drops every answer. */
  forget(): void {
    if (this.#answers.size > 0) this.#forgottenAt = this.#answeredAt;
    this.#answers.clear();
    this.bytes = 0;
  }

  /** Whether every answer is held that was given less than `ttlMs` before. */
  isComplete(ttlMs: number, before: number): boolean {
    return this.#forgottenAt <= before - ttlMs;
  }

  endedWithin(ttlMs: number, now: number): boolean {
    return now - this.endedAt < ttlMs;
  }

  // What was answered so long before its end has been received: a dead connection is noticed sooner than that.
  #expire(ttlMs: number, now: number): void {
    const oldest = Math.min(now, this.endedAt === -Infinity ? now : this.endedAt) - ttlMs;
    for (const [key, { at, bytes }] of this.#answers) {
      if (at > oldest) return;
      this.#answers.delete(key);
      this.bytes -= bytes;
    }
  }
}
