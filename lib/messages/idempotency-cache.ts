import type { Connection } from '../connections/connection.js';
import { encodeAnswer, encodeError } from '../protocol/codec.js';
import type { ClientFrame, MessageId } from '../protocol/envelope.js';
import { defaultErrorMessage, ErrorCode } from '../protocol/error-codes.js';
import { AnsweredSession, type Answer, type RunningMessage } from './answered-session.js';

export interface IdempotencySettings {
  /** How long an answer is kept: after it was given, and after the last connection of its session has ended. */
  readonly ttlMs: number;
  /** Answers of all sessions together; above it the sessions that were answered least recently lose theirs. */
  readonly maxAnswers: number;
  /** The memory of all answers together, estimated. */
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

// Those of a whole node that comes back at once, and what a flood of short connections may take.
const MAX_ENDED_SESSIONS = 100_000;
const MAX_WAITING = 8;
// No session may take the memory of all others.
const SHARE = 1 / 4;

/**
 * Makes a message with a `key` count once in its session: a client that lost its connection before the answer came sends
 * it again and gets the answer of the first time (as the idempotency keys of the IETF httpapi draft). What runs is never
 * dropped; answers are dropped by whole sessions, so that `remembers` can say truly whether all of them are held.
 */
export class IdempotencyCache {
  readonly #sessions = new Map<string, AnsweredSession>();
  /** Sessions with answers, least recently answered first. */
  readonly #answered = new Set<AnsweredSession>();
  /** Sessions that had no connection left, in the order in which they ended. */
  readonly #ended = new Set<AnsweredSession>();
  readonly #running = new Map<ClientFrame, RunningMessage>();
  #answers = 0;
  #bytes = 0;

  constructor(
    private readonly settings: IdempotencySettings | false,
    private readonly open: OpenSessions,
  ) {}

  /** What is held, for tests and gauges. */
  get counts(): { sessions: number; answers: number; bytes: number; running: number } {
    return {
      sessions: this.#sessions.size,
      answers: this.#answers,
      bytes: this.#bytes,
      running: this.#running.size,
    };
  }

  /** True when the message has come before: its answer is sent now, or when it is there. Otherwise it is to be run. */
  recall(connection: Connection, frame: ClientFrame): boolean {
    const key = frame.key as string;
    const session = this.#sessionOf(connection.sessionId, connection.userId);
    if (session === undefined) return false;
    const answer = session.answerTo(key);
    if (answer !== undefined) {
      send(connection, frame.id, answer);
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

  /** Keeps the answer of a message that `recall` told to run, and gives it to all who have repeated the message. */
  settle(frame: ClientFrame, answer: Answer): void {
    const { settings } = this;
    const running = this.#take(frame);
    if (running === undefined || settings === false) return;
    const { session, key, waiting } = running;
    for (const { connection, id } of waiting) send(connection, id, answer);
    this.#count(session, () => session.keep(key, answer, performance.now(), settings.ttlMs));
    this.#answered.delete(session);
    this.#answered.add(session);
    this.#evict(session, settings);
  }

  /** For a message whose answer cannot be kept, a stream: those who have repeated it are refused. */
  abandon(frame: ClientFrame): void {
    const error = {
      code: ErrorCode.CONFLICT,
      message: 'the first message with this key is answered by a stream, which is not repeated',
    };
    for (const { connection, id } of this.#take(frame)?.waiting ?? []) {
      connection.sendText(encodeError(id, error));
    }
  }

  /** Whether all that this node has lately answered the session is held: a repeated `key` then counts once. */
  remembers(sessionId: string, userId: string | undefined): boolean {
    if (this.settings === false) return false;
    const isOpen = this.#isOpen(sessionId);
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return isOpen;
    const now = performance.now();
    if (session.userId !== userId || !(isOpen || session.endedWithin(this.settings.ttlMs, now))) return false;
    return session.isComplete(this.settings.ttlMs, isOpen ? now : session.endedAt);
  }

  /** Whether the session was lately another user's, who alone may go on with it. */
  isOfAnother(sessionId: string, userId: string | undefined): boolean {
    const session = this.#sessions.get(sessionId);
    return session !== undefined && session.userId !== userId;
  }

  /** A connection of the session has ended; it is no longer among the open ones. */
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

  /** A connection has gone over to another session. */
  left(sessionId: string, userId: string | undefined): void {
    if (this.#sessions.has(sessionId)) this.ended(sessionId, userId);
  }

  #sessionOf(sessionId: string, userId: string | undefined): AnsweredSession | undefined {
    if (this.settings === false) return undefined;
    const known = this.#sessions.get(sessionId);
    // A session belongs to one user: none may get another's answers.
    if (known !== undefined) return known.userId === userId ? known : undefined;
    const session = new AnsweredSession(sessionId, userId);
    this.#sessions.set(sessionId, session);
    return session;
  }

  #take(frame: ClientFrame): RunningMessage | undefined {
    const running = this.#running.get(frame);
    this.#running.delete(frame);
    running?.session.running.delete(running.key);
    return running;
  }

  #evict(newest: AnsweredSession, { maxAnswers, maxBytes }: IdempotencySettings): void {
    if (newest.answers > Math.ceil(maxAnswers * SHARE) || newest.bytes > maxBytes * SHARE)
      this.#forget(newest);
    for (const session of this.#answered) {
      if (this.#answers <= maxAnswers && this.#bytes <= maxBytes) return;
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

  *#overdue(ttlMs: number, now: number): Generator<AnsweredSession> {
    let surplus = this.#ended.size - MAX_ENDED_SESSIONS + 1;
    for (const session of this.#ended) {
      if (surplus-- <= 0 && session.endedWithin(ttlMs, now)) return;
      yield session;
    }
  }

  #forget(session: AnsweredSession): void {
    this.#count(session, () => session.forget());
    this.#answered.delete(session);
    // Of one that goes on it has to be known that something is missing.
    if (session.running.size === 0 && !this.#isOpen(session.id)) this.#drop(session);
  }

  #drop(session: AnsweredSession): void {
    this.#count(session, () => session.forget());
    this.#answered.delete(session);
    this.#ended.delete(session);
    this.#sessions.delete(session.id);
  }

  #count(session: AnsweredSession, change: () => void): void {
    const { answers, bytes } = session;
    change();
    this.#answers += session.answers - answers;
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
  const message = 'too many repeats of this message wait for its answer';
  connection.sendText(encodeError(id, { code: ErrorCode.RATE_LIMITED, message }));
}

function send(connection: Connection, id: MessageId | undefined, { type, payload }: Answer): void {
  if (id === undefined) return;
  try {
    connection.sendText(encodeAnswer(type, id, payload));
  } catch {
    // Too large: its handler's log says so, and this must not end the message that is settled.
    const code = ErrorCode.INTERNAL;
    connection.sendText(encodeError(id, { code, message: defaultErrorMessage(code) }));
  }
}
