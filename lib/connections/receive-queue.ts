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

export const RECEIVE_QUEUE_DEFAULTS: ReceiveQueueSettings = { concurrency: 1, maxWaitingMessages: 128 };

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
  /** Handles messages; there is none before `open` and after `close`. */
  #handle: HandleFrame | undefined;
  #isPaused = false;
  #repliesOwed = 0;
  #isReleased = false;
  #onSettled: (() => void) | undefined;

  constructor(
    private readonly socket: Pausable,
    private readonly settings: ReceiveQueueSettings,
  ) {}

  /** False when the message cannot even wait. */
  push(frame: ClientFrame): boolean {
    const handle = this.#handle;
    if (handle !== undefined && this.#waiting === undefined && this.#hasFreeSlot) {
      this.#run(handle, frame);
      return true;
    }
    const waiting = (this.#waiting ??= []);
    if (waiting.length >= this.settings.maxWaitingMessages * HARD_LIMIT_FACTOR) return false;
    waiting.push(frame);
    this.#pauseIfFull();
    return true;
  }

  /** The client owes a reply to a request: the socket has to be read. */
  expectReply(): void {
    this.#repliesOwed++;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.socket.resume();
  }

  /** The request has its reply, or does not need one any more. */
  replySettled(): void {
    this.#repliesOwed--;
    this.#pauseIfFull();
  }

  /** Handles what has waited, and what comes from now on, with `handle`. */
  open(handle: HandleFrame): void {
    this.#handle = handle;
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
    this.#handle = undefined;
    this.#waiting = undefined;
    this.#settleIfIdle();
  }

  get #hasFreeSlot(): boolean {
    return this.#running.length < this.settings.concurrency;
  }

  #run(handle: HandleFrame, frame: ClientFrame): void {
    const pending = handle(frame);
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
      this.#repliesOwed > 0 ||
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
    while (this.#handle !== undefined && taken < waiting.length && this.#hasFreeSlot) {
      this.#run(this.#handle, waiting[taken++] as ClientFrame);
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
