import { scope } from './environment.js';
import type { ClientConnection } from './client-connection.js';
import type { Retry, UnsentReason } from './send.options.js';

/** A frame on its way out. */
export interface QueuedFrame {
  readonly text: string;
  readonly retry: Retry;
  /** The connection it was last written to. */
  connection: ClientConnection | undefined;
  /** It has been written. */
  sent(): void;
  /** It never will be; `disconnected`: it was written once, and may not be again. */
  unsent(reason: UnsentReason | 'disconnected'): void;
}

/** What is to be written, in the order in which it was asked for. */
export class SendQueue {
  #connection: ClientConnection | undefined;
  /** Whether it gives up whatever is posted. */
  isClosed = false;
  #waiting = new Set<QueuedFrame>();

  /** Writes it, or lets it wait behind the others. */
  post(queued: QueuedFrame): void {
    if (this.isClosed) queued.unsent('closed');
    else if (this.#connection?.isOpen) this.#write(this.#connection, queued);
    else this.#waiting.add(queued);
  }

  /** Puts back what was written and lost, in front of what has not been written yet. */
  putBack(queued: readonly QueuedFrame[]): void {
    this.#waiting = new Set([...queued, ...this.#waiting]);
    this.#flush();
  }

  withdraw(queued: QueuedFrame): void {
    this.#waiting.delete(queued);
  }

  /** From now on, frames are written to this connection. */
  open(connection: ClientConnection): void {
    this.#connection = connection;
    this.#flush();
  }

  isOpenOn(connection: ClientConnection | undefined): boolean {
    return this.#connection === connection;
  }

  /** No more frames are written to this connection. */
  shut(connection: ClientConnection): void {
    if (this.#connection === connection) this.#connection = undefined;
  }

  /** Gives up all that waits. */
  clear(): void {
    for (const queued of [...this.#waiting]) queued.unsent('closed');
  }

  #flush(): void {
    for (const queued of this.#waiting) {
      if (!this.#connection?.isOpen) return;
      this.#waiting.delete(queued);
      this.#write(this.#connection, queued);
    }
  }

  #write(connection: ClientConnection, queued: QueuedFrame): void {
    if (queued.connection !== undefined && queued.retry === 'resumed' && !connection.isResumed) {
      queued.unsent('disconnected');
    } else if (exceeds(queued.text, connection.hello!.maxPayloadBytes)) {
      // The server would close with 1009, which is final.
      queued.unsent('too_large');
    } else {
      queued.connection = connection;
      connection.send(queued.text);
      queued.sent();
    }
  }
}

function exceeds(text: string, maxBytes: number): boolean {
  // A UTF-16 unit is one to three bytes of UTF-8: most texts need no counting.
  return text.length * 3 > maxBytes && new scope.TextEncoder().encode(text).length > maxBytes;
}
