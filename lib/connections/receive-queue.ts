import type { ClientFrame, MessageId } from '../protocol/envelope.js';

/** What a paused reader needs. */
interface Pausable {
  pause(): void;
  resume(): void;
}

/** Handles one message; a promise means that the next one waits for it. */
export type HandleFrame = (frame: ClientFrame) => void | Promise<void>;

export interface ReceiveQueueSettings {
  /** How many messages of one connection may be handled at a time. */
  readonly concurrency: number;
  /** How many may wait before the socket is no longer read. */
  readonly maxWaitingMessages: number;
}

// What was on its way when the socket was paused, and what comes while it may not be, has to end somewhere.
const HARD_LIMIT_FACTOR = 64;

/**
 * The messages of one connection, in order. Those that come too early or too fast wait here; when too many do, the
 * socket is paused, so that TCP makes the client wait. While the client owes an answer to a request of the server the
 * socket is read on, since a handler may be waiting for just that, and messages beyond a harder limit are refused.
 */
export class ReceiveQueue {
  #waiting: ClientFrame[] | undefined;
  /** Those whose handlers have not ended; few, as `concurrency` says. */
  readonly #running: ClientFrame[] = [];
  #isOpen = false;
  #isPaused = false;
  #answersOwed = 0;
  #isReleased = false;
  #onSettled: (() => void) | undefined;

  constructor(
    private readonly socket: Pausable,
    private readonly settings: ReceiveQueueSettings,
    private readonly handle: HandleFrame,
  ) {}

  /** False when the message cannot even wait. */
  push(frame: ClientFrame): boolean {
    if (this.#isOpen && this.#running.length < this.settings.concurrency && this.#waiting === undefined) {
      this.#handle(frame);
      return true;
    }
    const waiting = (this.#waiting ??= []);
    if (waiting.length >= this.settings.maxWaitingMessages * HARD_LIMIT_FACTOR) return false;
    waiting.push(frame);
    this.#pauseIfFull();
    return true;
  }

  /** The client owes an answer: it has to be read. */
  expectAnswer(): void {
    this.#answersOwed++;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.socket.resume();
  }

  answerSettled(): void {
    this.#answersOwed--;
    this.#pauseIfFull();
  }

  /** Begins to handle what has waited. */
  open(): void {
    this.#isOpen = true;
    this.#next();
    this.#settleIfIdle();
  }

  /** Whether so many messages wait that the socket is not read. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether messages that come now are too late. */
  get isSealed(): boolean {
    return this.#onSettled !== undefined;
  }

  /** The message with this id that waits or runs. */
  unanswered(id: MessageId): ClientFrame | undefined {
    const hasId = (frame: ClientFrame) => frame.id === id;
    return this.#running.find(hasId) ?? this.#waiting?.find(hasId);
  }

  /** Takes no more messages; resolves when those that came before are done. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSettled = resolve;
      this.#settleIfIdle();
    });
  }

  /** Reads the socket from now on: it closes, and the other side's close has to be seen. */
  release(): void {
    this.#isReleased = true;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.socket.resume();
  }

  /** Forgets what waits; its connection is gone. */
  close(): void {
    this.#isOpen = false;
    this.#waiting = undefined;
    this.#settleIfIdle();
  }

  #handle(frame: ClientFrame): void {
    const pending = this.handle(frame);
    if (pending === undefined) return;
    this.#running.push(frame);
    // The dispatcher answers every failure itself: this promise never rejects.
    void pending.then(() => {
      this.#running.splice(this.#running.indexOf(frame), 1);
      this.#next();
      this.#settleIfIdle();
    });
  }

  #pauseIfFull(): void {
    const { length } = this.#waiting ?? [];
    if (
      this.#isReleased ||
      this.#isPaused ||
      this.#answersOwed > 0 ||
      length < this.settings.maxWaitingMessages
    )
      return;
    this.#isPaused = true;
    this.socket.pause();
  }

  #settleIfIdle(): void {
    if (this.#running.length === 0 && this.#waiting === undefined) this.#onSettled?.();
  }

  #next(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    let taken = 0;
    while (this.#isOpen && taken < waiting.length && this.#running.length < this.settings.concurrency) {
      this.#handle(waiting[taken++] as ClientFrame);
    }
    if (this.#waiting !== waiting) return;
    if (taken === waiting.length) this.#waiting = undefined;
    else waiting.splice(0, taken);
    if (this.#isPaused && (this.#waiting?.length ?? 0) < this.settings.maxWaitingMessages / 2) {
      this.#isPaused = false;
      this.socket.resume();
    }
  }
}
