import { scope } from './environment.js';
import type { Link } from './link.js';
import type { Retry, UnsentReason } from './send.options.js';

/** A frame on its way out. */
export interface Parcel {
  readonly text: string;
  readonly retry: Retry;
  /** The link it was last written to. */
  link: Link | undefined;
  /** It has been written. */
  sent(): void;
  /** It never will be; `disconnected`: it was written once, and may not be again. */
  unsent(reason: UnsentReason | 'disconnected'): void;
}

/** What is to be written, in the order in which it was asked for. */
export class Outbox {
  #link: Link | undefined;
  /** Whether it gives up whatever is posted. */
  isClosed = false;
  #waiting = new Set<Parcel>();

  /** Writes it, or lets it wait behind the others. */
  post(parcel: Parcel): void {
    if (this.isClosed) parcel.unsent('closed');
    else if (this.#link?.isOpen) this.#write(this.#link, parcel);
    else this.#waiting.add(parcel);
  }

  /** Puts back what was written and lost, in front of what has not been written yet. */
  putBack(parcels: readonly Parcel[]): void {
    this.#waiting = new Set([...parcels, ...this.#waiting]);
    this.#flush();
  }

  withdraw(parcel: Parcel): void {
    this.#waiting.delete(parcel);
  }

  /** From now on, frames are written to this link. */
  open(link: Link): void {
    this.#link = link;
    this.#flush();
  }

  isOpenOn(link: Link | undefined): boolean {
    return this.#link === link;
  }

  /** No more frames are written to this link. */
  shut(link: Link): void {
    if (this.#link === link) this.#link = undefined;
  }

  /** Gives up all that waits. */
  clear(): void {
    for (const parcel of [...this.#waiting]) parcel.unsent('closed');
  }

  #flush(): void {
    for (const parcel of this.#waiting) {
      if (!this.#link?.isOpen) return;
      this.#waiting.delete(parcel);
      this.#write(this.#link, parcel);
    }
  }

  #write(link: Link, parcel: Parcel): void {
    if (parcel.link !== undefined && parcel.retry === 'resumed' && !link.isResumed) {
      parcel.unsent('disconnected');
    } else if (exceeds(parcel.text, link.hello!.maxPayloadBytes)) {
      // The server would close with 1009, which is final.
      parcel.unsent('too_large');
    } else {
      parcel.link = link;
      link.send(parcel.text);
      parcel.sent();
    }
  }
}

function exceeds(text: string, maxBytes: number): boolean {
  // A UTF-16 unit is one to three bytes of UTF-8: most texts need no counting.
  return text.length * 3 > maxBytes && new scope.TextEncoder().encode(text).length > maxBytes;
}
