import type { Clock } from './environment.js';
import type { ClientConnection } from './client-connection.js';
import { DuplicateFilter } from './duplicate-filter.js';
import type { PendingRequests } from './pending-requests.js';

/** How long the old connection stays for messages that other nodes published before the new one was ready. */
const GRACE_MS = 1_000;
/** After this the old connection is left, whatever it still owes. */
const LIMIT_MS = 10_000;

/** Changes from one connection to the next: both are read until what was under way on the old one has arrived. */
export class Handover {
  /** Undefined once it was left or has ended. */
  old: ClientConnection | undefined;
  #isDrained = false;
  #timer: unknown;

  readonly #duplicates: DuplicateFilter<ClientConnection>;
  readonly #clock: Clock;
  readonly #requests: PendingRequests;

  /** Created when the next connection is opened. */
  constructor(old: ClientConnection, clock: Clock, requests: PendingRequests) {
    this.old = old;
    this.#duplicates = new DuplicateFilter(old);
    this.#clock = clock;
    this.#requests = requests;
  }

  /** The next connection is used from now on. */
  begin(): void {
    this.#timer = this.#clock.setTimeout(() => this.#drain(), GRACE_MS);
  }

  /** Whether the other connection has delivered this message already. */
  isRepeated(connection: ClientConnection, text: string): boolean {
    return this.#duplicates.isRepeated(connection, text, this.#clock.now());
  }

  /** Called after every frame. */
  check(): void {
    if (this.#isDrained && this.old && !this.#requests.sentOn(this.old).length) this.leave();
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
    if (old) this.#requests.lost(old);
  }

  stop(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The `pong` comes after everything that the server had written before it. */
  #drain(): void {
    this.#timer = this.#clock.setTimeout(() => this.leave(), LIMIT_MS);
    this.old?.request('ping', undefined, () => {
      this.#isDrained = true;
      this.check();
    });
  }
}
