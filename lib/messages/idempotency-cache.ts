import type { Connection } from '../connections/connection.js';
import { encodeWithId, encodeError } from '../protocol/codec.js';
import type { ClientFrame, MessageId } from '../protocol/envelope.js';
import { defaultErrorMessage, ErrorCode } from '../protocol/error-codes.js';
import { SessionReplies, type StoredReply, type RunningMessage } from './session-replies.js';

export interface IdempotencySettings {
  /** How long a reply is kept after it was sent, and after the last connection of its session has ended. */
  readonly ttlMs: number;
  /** Replies of all sessions together; above it the sessions with the least recent reply lose theirs. */
  readonly maxAnswers: number;
  /** The estimated memory of all replies together. */
  readonly maxBytes: number;
}

export const IDEMPOTENCY_DEFAULTS: IdempotencySettings = {
  ttlMs: 120_000,
  maxAnswers: 100_000,
  maxBytes: 33_554_432,
};

/** The sessions that have a connection on this node. */
export interface OpenSessions {
  ofSession(sessionId: string): readonly Connection[];
}

// Enough for the clients of a whole node that reconnect at once; bounds the cost of many short connections.
const MAX_ENDED_SESSIONS = 100_000;
const MAX_WAITING = 8;
// One session may not use the memory of all others.
const SHARE = 1 / 4;

/**
 * Makes a message with a `key` count once in its session: a client that lost its connection before the reply sends the
 * message again and gets the first reply (like the idempotency keys of the IETF httpapi draft). Running messages are never
 * dropped; replies are dropped by whole sessions, so that `remembers` is exact.
 */
export class IdempotencyCache {
  readonly #sessions = new Map<string, SessionReplies>();
  /** Sessions with replies, the least recent first. */
  readonly #replied = new Set<SessionReplies>();
  /** Sessions without a connection, in the order in which they ended. */
  readonly #ended = new Set<SessionReplies>();
  readonly #running = new Map<ClientFrame, RunningMessage>();
  #replies = 0;
  #bytes = 0;

  constructor(
    private readonly settings: IdempotencySettings | false,
    private readonly open: OpenSessions,
  ) {}

  /** The number of entries, for tests and gauges. */
  get counts(): { sessions: number; replies: number; bytes: number; running: number } {
    return {
      sessions: this.#sessions.size,
      replies: this.#replies,
      bytes: this.#bytes,
      running: this.#running.size,
    };
  }

  /** True when the message is a repeat: it gets the first reply, now or later. False when its handler has to run. */
  recall(connection: Connection, frame: ClientFrame): boolean {
    const key = frame.key as string;
    const session = this.#sessionOf(connection.sessionId, connection.userId);
    if (session === undefined) return false;
    const reply = session.replyTo(key);
    if (reply !== undefined) {
      send(connection, frame.id, reply);
      return true;
    }
    const running = session.running.get(key);
    if (running !== undefined) {
      wait(running, connection, frame.id);
      return true;
    }
    const started = { session, key, waiting: [] };
    session.running.set(key, started);
    this.#running.set(frame, started);
    return false;
  }

  /** Stores the reply of a message for which `recall` was false, and sends it to the repeats that wait. */
  settle(frame: ClientFrame, reply: StoredReply): void {
    const { settings } = this;
    const running = this.#take(frame);
    if (running === undefined || settings === false) return;
    const { session, key, waiting } = running;
    for (const { connection, id } of waiting) send(connection, id, reply);
    this.#count(session, () => session.keep(key, reply, performance.now(), settings.ttlMs));
    this.#replied.delete(session);
    this.#replied.add(session);
    this.#evict(session, settings);
  }

  /** For a message whose reply is a stream, which cannot be stored: refuses the repeats that wait. */
  abandon(frame: ClientFrame): void {
    const error = {
      code: ErrorCode.CONFLICT,
      message: 'the reply to the first message with this key is a stream, which is not repeated',
    };
    for (const { connection, id } of this.#take(frame)?.waiting ?? []) {
      connection.sendText(encodeError(id, error));
    }
  }

  /** Whether this node stores all its recent replies to the session, so that a repeated `key` counts once. */
  remembers(sessionId: string, userId: string | undefined): boolean {
    if (this.settings === false) return false;
    const isOpen = this.#isOpen(sessionId);
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return isOpen;
    const now = performance.now();
    if (session.userId !== userId || !(isOpen || session.endedWithin(this.settings.ttlMs, now))) return false;
    return session.isComplete(this.settings.ttlMs, isOpen ? now : session.endedAt);
  }

  /** Whether the session belongs to another user, who alone may resume it. */
  isOfAnother(sessionId: string, userId: string | undefined): boolean {
    const session = this.#sessions.get(sessionId);
    return session !== undefined && session.userId !== userId;
  }

  /** Called when a connection of the session has ended and has left the registry. */
  ended(sessionId: string, userId: string | undefined): void {
    if (this.settings === false) return;
    const now = performance.now();
    this.#expire(this.settings.ttlMs, now);
    const session = this.#isOpen(sessionId) ? undefined : this.#sessionOf(sessionId, userId);
    if (session === undefined) return;
    session.endedAt = now;
    this.#ended.delete(session);
    this.#ended.add(session);
  }

  /** Called when a connection has resumed another session. */
  left(sessionId: string, userId: string | undefined): void {
    if (this.#sessions.has(sessionId)) this.ended(sessionId, userId);
  }

  #sessionOf(sessionId: string, userId: string | undefined): SessionReplies | undefined {
    if (this.settings === false) return undefined;
    const known = this.#sessions.get(sessionId);
    // A session belongs to one user: another user must not get its replies.
    if (known !== undefined) return known.userId === userId ? known : undefined;
    const session = new SessionReplies(sessionId, userId);
    this.#sessions.set(sessionId, session);
    return session;
  }

  #take(frame: ClientFrame): RunningMessage | undefined {
    const running = this.#running.get(frame);
    this.#running.delete(frame);
    running?.session.running.delete(running.key);
    return running;
  }

  #evict(newest: SessionReplies, { maxAnswers, maxBytes }: IdempotencySettings): void {
    if (newest.replies > Math.ceil(maxAnswers * SHARE) || newest.bytes > maxBytes * SHARE)
      this.#forget(newest);
    for (const session of this.#replied) {
      if (this.#replies <= maxAnswers && this.#bytes <= maxBytes) return;
      this.#forget(session);
    }
  }

  #expire(ttlMs: number, now: number): void {
    for (const session of [...this.#overdue(ttlMs, now)]) {
      this.#ended.delete(session);
      if (this.#isOpen(session.id)) session.endedAt = -Infinity;
      else if (session.running.size > 0) this.#ended.add(session);
      else this.#drop(session);
    }
  }

  *#overdue(ttlMs: number, now: number): Generator<SessionReplies> {
    let surplus = this.#ended.size - MAX_ENDED_SESSIONS + 1;
    for (const session of this.#ended) {
      if (surplus-- <= 0 && session.endedWithin(ttlMs, now)) return;
      yield session;
    }
  }

  #forget(session: SessionReplies): void {
    this.#count(session, () => session.forget());
    this.#replied.delete(session);
    // A session that continues has to remember that a reply is missing.
    if (session.running.size === 0 && !this.#isOpen(session.id)) this.#drop(session);
  }

  #drop(session: SessionReplies): void {
    this.#count(session, () => session.forget());
    this.#replied.delete(session);
    this.#ended.delete(session);
    this.#sessions.delete(session.id);
  }

  #count(session: SessionReplies, change: () => void): void {
    const { replies, bytes } = session;
    change();
    this.#replies += session.replies - replies;
    this.#bytes += session.bytes - bytes;
  }

  #isOpen(sessionId: string): boolean {
    return this.open.ofSession(sessionId).length > 0;
  }
}

function wait({ waiting }: RunningMessage, connection: Connection, id: MessageId | undefined): void {
  if (id === undefined) return;
  // A client that lost several connections while the handler ran waits on the last one only.
  const open = waiting.filter((each) => each.connection.isOpen);
  waiting.splice(0, waiting.length, ...open);
  if (waiting.length < MAX_WAITING) {
    waiting.push({ connection, id });
    return;
  }
  const message = 'too many repeats of this message wait for its reply';
  connection.sendText(encodeError(id, { code: ErrorCode.RATE_LIMITED, message }));
}

function send(connection: Connection, id: MessageId | undefined, { type, payload }: StoredReply): void {
  if (id === undefined) return;
  try {
    connection.sendText(encodeWithId(type, id, payload));
  } catch {
    // Too large for this client; the log has the error from the first reply.
    const code = ErrorCode.INTERNAL;
    connection.sendText(encodeError(id, { code, message: defaultErrorMessage(code) }));
  }
}
