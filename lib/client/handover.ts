import type { Clock } from './environment.js';
import type { Link } from './link.js';

/** How long the old link is still listened to for what other nodes published before the new one was there. */
const GRACE_MS = 1_000;
/** The old link is left after this, whatever it still owes. */
const LIMIT_MS = 10_000;

/** Leaves an old link once the new one is used: after what was under way on it has arrived. */
export class Handover {
  #isDrained = false;
  #timer: unknown;

  readonly #clock: Clock;
  readonly #isAwaited: (link: Link) => boolean;
  readonly #onLeft: (link: Link) => void;

  constructor(
    readonly old: Link,
    clock: Clock,
    isAwaited: (link: Link) => boolean,
    onLeft: (link: Link) => void,
  ) {
    this.#clock = clock;
    this.#isAwaited = isAwaited;
    this.#onLeft = onLeft;
    this.#timer = clock.setTimeout(() => this.#drain(), GRACE_MS);
  }

  /** Called after every frame of the old link. */
  check(): void {
    if (this.#isDrained && !this.#isAwaited(this.old)) this.leave();
  }

  leave(): void {
    this.stop();
    this.old.leave(1000, 'moved');
    this.#onLeft(this.old);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
  }

  #drain(): void {
    this.#timer = this.#clock.setTimeout(() => this.leave(), LIMIT_MS);
    this.old.drain(() => {
      this.#isDrained = true;
      this.check();
    });
  }
}
