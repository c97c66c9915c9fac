import type { ClientFrame } from '../protocol/envelope.js';

/** What a paused reader needs. */
interface Pausable {
  pause(): void;
  resume(): void;
}

/** Handles one message; a promise means that the next one waits for it. */
export type HandleFrame = (frame: ClientFrame) => void | Promise<void>;

export interface InboxSettings {
  /** How many messages of one connection may be handled at a time. */
  readonly concurrency: number;
  /** How many may wait before the socket is no longer read. */
  readonly maxWaitingMessages: number;
}

/**
 * The messages of one connection, in order. Those that come too early or too fast wait here; when too many do, the
 * socket is paused, so that TCP makes the client wait.
 */
export class Inbox {
  #waiting: ClientFrame[] | undefined;
  #active = 0;
  #isOpen = false;
  #isPaused = false;
  #onSettled: (() => void) | undefined;

  constructor(
    private readonly socket: Pausable,
    private readonly settings: InboxSettings,
    private readonly handle: HandleFrame,
  ) {}

  push(frame: ClientFrame): void {
    if (this.#isOpen && this.#active < this.settings.concurrency && this.#waiting === undefined) {
      this.#handle(frame);
      return;
    }
    const waiting = (this.#waiting ??= []);
    waiting.push(frame);
    if (!this.#isPaused && waiting.length >= this.settings.maxWaitingMessages) {
      this.#isPaused = true;
      this.socket.pause();
    }
  }

  /** Begins to handle what has waited. */
  open(): void {
    this.#isOpen = true;
    this.#next();
  }

  /** Whether so many messages wait that the socket is not read. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether messages that come now are too late. */
  get isSealed(): boolean {
    return this.#onSettled !== undefined;
  }

  /** Takes no more messages; resolves when those that came before are done. */
  settled(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSettled = resolve;
      this.#settleIfIdle();
    });
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
    this.#active++;
    // The dispatcher answers every failure itself: this promise never rejects.
    void pending.then(() => {
      this.#active--;
      this.#next();
      this.#settleIfIdle();
    });
  }

  #settleIfIdle(): void {
    if (this.#active === 0 && this.#waiting === undefined) this.#onSettled?.();
  }

  #next(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    let taken = 0;
    while (this.#isOpen && taken < waiting.length && this.#active < this.settings.concurrency) {
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
