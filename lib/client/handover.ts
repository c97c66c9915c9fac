import type { Clock } from './environment.js';
import type { Link } from './link.js';
import { Overlap } from './overlap.js';

/** How long the old link is still listened to for what other nodes published before the new one was there. */
const GRACE_MS = 1_000;
/** The old link is left after this, whatever it still owes. */
const LIMIT_MS = 10_000;

interface HandoverEvents {
  /** Whether an answer is still to come on this link. */
  isAwaited(link: Link): boolean;
  /** What was sent on this link and not answered will not be. */
  onLost(link: Link): void;
}

/** From an old link to the next one: both are listened to until what was under way on the old one has arrived. */
export class Handover {
  /** Nothing once it has been left or has ended. */
  old: Link | undefined;
  #isDrained = false;
  #timer: unknown;

  readonly #overlap: Overlap<Link>;
  readonly #clock: Clock;
  readonly #events: HandoverEvents;

  /** Made when the next link is dialled. */
  constructor(old: Link, clock: Clock, events: HandoverEvents) {
    this.old = old;
    this.#overlap = new Overlap(old);
    this.#clock = clock;
    this.#events = events;
  }

  /** The next link is used from now on. */
  begin(): void {
    this.#timer = this.#clock.setTimeout(() => this.#drain(), GRACE_MS);
  }

  /** Whether the other link has brought this message already. */
  isRepeated(link: Link, text: string): boolean {
    return this.#overlap.isRepeated(link, text, this.#clock.now());
  }

  /** Called after every frame. */
  check(): void {
    if (this.#isDrained && this.old && !this.#events.isAwaited(this.old)) this.leave();
  }

  /** Leaves the old link, if the next one is used already. */
  leave(): void {
    if (this.#timer === undefined) return;
    this.old?.leave(1000, 'moved');
    this.end();
  }

  /** The old link has ended. */
  end(): void {
    const { old } = this;
    this.stop();
    this.old = undefined;
    this.#overlap.end(this.#clock.now());
    if (old) this.#events.onLost(old);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #drain(): void {
    this.#timer = this.#clock.setTimeout(() => this.leave(), LIMIT_MS);
    this.old?.drain(() => {
      this.#isDrained = true;
      this.check();
    });
  }
}
