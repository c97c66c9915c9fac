import type { Delivery } from '../protocol/delivery.js';
import { isLaterPosition } from '../protocol/channel.js';
import type { Frame } from './frame.js';

/** A frame that waits, and how it is delivered once it is released. */
export interface HeldFrame {
  readonly frame: Frame;
  readonly delivery: Delivery;
}

/** Holds the live frames of one connection, or of some of its channels, in order, while what comes before them is sent. */
export class FrameHold {
  #frames: HeldFrame[] = [];
  #bytes = 0;
  #holdsAll = false;
  readonly #channels = new Set<string>();

  constructor(private readonly maxBytes: number) {}

  /** Whether no frame has to wait. */
  get isIdle(): boolean {
    return !this.#holdsAll && this.#channels.size === 0;
  }

  /** Holds the frames of one channel from now on, or every frame. */
  hold(channel?: string): void {
    if (channel === undefined) this.#holdsAll = true;
    else this.#channels.add(channel);
  }

  /** Whether the frame has to wait. */
  holds({ channel }: Frame): boolean {
    return this.#holdsAll || (channel !== undefined && this.#channels.has(channel));
  }

  /** Adds a frame that has to wait; false when more waits than may. */
  add(frame: Frame, delivery: Delivery): boolean {
    this.#frames.push({ frame, delivery });
    this.#bytes += frame.length;
    return this.#bytes <= this.maxBytes;
  }

  /**
   * Ends the hold of one channel, or that of every frame, and takes out what no longer has to wait. Frames of the channel
   * whose position is not after `afterPosition` are dropped: the client has been sent them.
   */
  release(channel?: string, afterPosition?: string): HeldFrame[] {
    if (channel === undefined) this.#holdsAll = false;
    else this.#channels.delete(channel);
    const released: HeldFrame[] = [];
    const kept: HeldFrame[] = [];
    for (const held of this.#frames) {
      if (isSent(held.frame, channel, afterPosition)) continue;
      (this.holds(held.frame) ? kept : released).push(held);
    }
    this.#frames = kept;
    this.#bytes = kept.reduce((bytes, { frame }) => bytes + frame.length, 0);
    return released;
  }
}

function isSent(frame: Frame, channel: string | undefined, afterPosition: string | undefined): boolean {
  if (frame.channel !== channel || frame.position === undefined || afterPosition === undefined) return false;
  return !isLaterPosition(frame.position, afterPosition);
}
