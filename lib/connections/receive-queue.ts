import type { ClientFrame, MessageId } from '../protocol/envelope.js';

/** A socket that can be paused. */
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

// Messages still arrive after a pause, and while the socket may not be paused.
const HARD_LIMIT_FACTOR = 64;

/**
 * The messages of one connection, in order. Messages that arrive before `open` or too fast wait; when too many wait, the
 * socket is paused, so that TCP slows the client down. While the client owes a reply to a request the socket stays open
 * for reading, since a handler may be waiting for that reply; messages above a hard limit are then refused.
 */
export class ReceiveQueue {
  #waiting: ClientFrame[] | undefined;
  /** Messages whose handlers have not ended, at most `concurrency`. */
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

  /** Handles the message or lets it wait; false when too many wait already. */
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

  /** Whether the queue takes no more messages. */
  get isSealed(): boolean {
    return this.#onSettled !== undefined;
  }

  /** The waiting or running message with this id. */
  pending(id: MessageId): ClientFrame | undefined {
    const hasId = (frame: ClientFrame) => frame.id === id;
    return this.#running.find(hasId) ?? this.#waiting?.find(hasId);
  }

  /** Takes no more messages; resolves when every message so far has been handled. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSettled = resolve;
      this.#settleIfIdle();
    });
  }

  /** Never pauses the socket again: the connection closes, and the client's close frame has to be read. */
  release(): void {
    this.#isReleased = true;
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.socket.resume();
  }

  /** Drops the waiting messages of a connection that has closed. */
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
    // The dispatcher handles every failure itself: this promise never rejects.
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
