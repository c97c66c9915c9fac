import type { Clock } from './environment.js';
import type { ClientConnection } from './client-connection.js';
import { DuplicateFilter } from './duplicate-filter.js';

/** How long the old connection is still listened to for what other nodes published before the new one was there. */
const GRACE_MS = 1_000;
/** The old connection is left after this, whatever it still owes. */
const LIMIT_MS = 10_000;

interface HandoverEvents {
  /** Whether an answer is still to come on this connection. */
  isAwaited(connection: ClientConnection): boolean;
  /** What was sent on this connection and not answered will not be. */
  onLost(connection: ClientConnection): void;
}

/** From an old connection to the next one: both are listened to until what was under way on the old one has arrived. */
export class Handover {
  /** Nothing once it has been left or has ended. */
  old: ClientConnection | undefined;
  #isDrained = false;
  #timer: unknown;

  readonly #duplicates: DuplicateFilter<ClientConnection>;
  readonly #clock: Clock;
  readonly #events: HandoverEvents;

  /** Made when the next connection is dialled. */
  constructor(old: ClientConnection, clock: Clock, events: HandoverEvents) {
    this.old = old;
    this.#duplicates = new DuplicateFilter(old);
    this.#clock = clock;
    this.#events = events;
  }

  /** The next connection is used from now on. */
  begin(): void {
    this.#timer = this.#clock.setTimeout(() => this.#drain(), GRACE_MS);
  }

  /** Whether the other connection has brought this message already. */
  isRepeated(connection: ClientConnection, text: string): boolean {
    return this.#duplicates.isRepeated(connection, text, this.#clock.now());
  }

  /** Called after every frame. */
  check(): void {
    if (this.#isDrained && this.old && !this.#events.isAwaited(this.old)) this.leave();
  }

  /** Leaves the old connection, if the next one is used already. */
  leave(): void {
    if (this.#timer === undefined) return;
    this.old?.leave(1000, 'moved');
    this.end();
  }

  /** The old connection has ended. */
  end(): void {
    const { old } = this;
    this.stop();
    this.old = undefined;
    this.#duplicates.end(this.#clock.now());
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
