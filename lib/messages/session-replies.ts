import type { Connection } from '../connections/connection.js';
import type { MessageId } from '../protocol/envelope.js';

/** The reply to a message, without its id. */
export interface StoredReply {
  readonly type: '$reply' | '$error';
  /** JSON. */
  readonly payload: string;
}

/** A message with a `key` whose handler is running, and its repeats, which wait for the same reply. */
export interface RunningMessage {
  readonly session: SessionReplies;
  readonly key: string;
  readonly waiting: { readonly connection: Connection; readonly id: MessageId }[];
}

interface KeptReply {
  readonly reply: StoredReply;
  readonly at: number;
  readonly bytes: number;
}

// The memory of an entry without its strings.
const ENTRY_BYTES = 256;

/** The replies of one session by `key`, and when some of them were dropped. */
export class SessionReplies {
  readonly running = new Map<string, RunningMessage>();
  /** When the last connection of the session ended; the session may have one again. */
  endedAt = -Infinity;
  bytes = 0;
  /** Oldest first. */
  readonly #replies = new Map<string, KeptReply>();
  #repliedAt = -Infinity;
  /** When the newest reply that is no longer stored was sent. */
  #forgottenAt = -Infinity;

  constructor(
    readonly id: string,
    readonly userId: string | undefined,
  ) {}

  get replies(): number {
    return this.#replies.size;
  }

  replyTo(key: string): StoredReply | undefined {
    return this.#replies.get(key)?.reply;
  }

  keep(key: string, reply: StoredReply, now: number, ttlMs: number): void {
    const bytes = ENTRY_BYTES + 2 * (key.length + reply.payload.length);
    this.#replies.set(key, { reply, at: now, bytes });
    this.#repliedAt = now;
    this.bytes += bytes;
    this.#expire(ttlMs, now);
  }

  /** Drops every reply. */
  forget(): void {
    if (this.#replies.size > 0) this.#forgottenAt = this.#repliedAt;
    this.#replies.clear();
    this.bytes = 0;
  }

  /** Whether every reply sent less than `ttlMs` before is stored. */
  isComplete(ttlMs: number, before: number): boolean {
    return this.#forgottenAt <= before - ttlMs;
  }

  endedWithin(ttlMs: number, now: number): boolean {
    return now - this.endedAt < ttlMs;
  }

  // A reply sent so long before the end of its connection was received: a dead connection is noticed sooner.
  #expire(ttlMs: number, now: number): void {
    const oldest = Math.min(now, this.endedAt === -Infinity ? now : this.endedAt) - ttlMs;
    for (const [key, { at, bytes }] of this.#replies) {
      if (at > oldest) return;
      this.#replies.delete(key);
      this.bytes -= bytes;
    }
  }
}
