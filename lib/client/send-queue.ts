import { scope } from './environment.js';
import type { ClientConnection } from './client-connection.js';
import type { Retry, UnsentReason } from './send.options.js';

/** A frame to send. */
export interface QueuedFrame {
  readonly text: string;
  /** Only of requests. */
  readonly retry?: Retry;
  /** The connection it was last written to. */
  connection?: ClientConnection | undefined;
  /** It has been written. */
  sent?(): void;
  /** It is given up; `disconnected`: it was written once, and may not be written again. */
  unsent(reason: UnsentReason | 'disconnected'): void;
}

/** Frames to write, in the order in which they were added. */
export class SendQueue {
  #connection: ClientConnection | undefined;
  /** Whether every new frame is given up. */
  isClosed = false;
  #waiting = new Set<QueuedFrame>();
  readonly #maxRequests: number;

  constructor(maxRequests: number) {
    this.#maxRequests = maxRequests;
  }

  /** Writes the frame, or adds it to those that wait for a connection: at most `max` messages, or requests. */
  push(frame: QueuedFrame, max = this.#maxRequests): void {
    // Only requests have `retry`.
    const ofKind = ({ retry }: QueuedFrame) => !retry === !frame.retry;
    if (this.isClosed) frame.unsent('closed');
    else if (this.#connection?.isOpen && this.#waiting.size === 0) this.#write(this.#connection, frame);
    else if ([...this.#waiting].filter(ofKind).length < max) this.#waiting.add(frame);
    else frame.unsent('overflow');
  }

  /** Adds frames that were written and lost, before those that were never written. */
  putBack(frames: readonly QueuedFrame[]): void {
    this.#waiting = new Set([...frames, ...this.#waiting]);
    this.flush();
  }

  remove(frame: QueuedFrame): void {
    this.#waiting.delete(frame);
  }

  /** New frames are written to this connection, after those that wait. */
  open(connection: ClientConnection): void {
    this.#connection = connection;
  }

  /** Whether a frame is written without waiting for another connection. */
  get isOpen(): boolean {
    return this.#connection?.isOpen === true;
  }

  isOpenOn(connection: ClientConnection | undefined): boolean {
    return this.#connection === connection;
  }

  /** No more frames are written to this connection. */
  shut(connection: ClientConnection): void {
    if (this.#connection === connection) this.#connection = undefined;
  }

  /** Gives up every waiting frame. */
  clear(): void {
    for (const frame of [...this.#waiting]) frame.unsent('closed');
  }

  /** Writes the waiting frames. */
  flush(): void {
    for (const frame of this.#waiting) {
      if (!this.#connection?.isOpen) return;
      this.#waiting.delete(frame);
      this.#write(this.#connection, frame);
    }
  }

  #write(connection: ClientConnection, frame: QueuedFrame): void {
    if (frame.connection && frame.retry === 'resumed' && !connection.isResumed) {
      frame.unsent('disconnected');
    } else if (exceeds(frame.text, connection.hello!.maxPayloadBytes)) {
      // The server would close with 1009, after which the client does not come back.
      frame.unsent('too_large');
    } else {
      frame.connection = connection;
      connection.send(frame.text);
      frame.sent?.();
    }
  }
}

/** Whether a text has more bytes of UTF-8; `undefined` is no limit. */
export function exceeds(text: string, maxBytes: number): boolean {
  // A UTF-16 unit is one to three bytes of UTF-8: most texts need no counting.
  return text.length * 3 > maxBytes && new scope.TextEncoder().encode(text).length > maxBytes;
}
