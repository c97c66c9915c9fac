import { BackplaneError, type BackplaneFailure } from '../../backplane-error.js';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  readonly since: number;
}

/** How far a channel is on the present connection. Numbers, so that a settled channel costs its map entry alone. */
const State = { queued: 0, sent: 1, acked: 2 } as const;
type State = (typeof State)[keyof typeof State];

const MIN_LINGER_MS = 2_000;
const LINGER_SPREAD_MS = 8_000;
const JOIN_TIMEOUT_MS = 5_000;

/** The wanted and lingering channels of one partition, and who waits for them; it may move to another connection. */
export class ChannelStates {
  readonly #states = new Map<string, State>();
  readonly #lingering = new Map<string, number>();
  readonly #waiting = new Map<string, Waiter[]>();
  /** Channels somebody waits for; a join does not queue up behind 100,000 that are subscribed again. */
  readonly #urgent = new NameQueue();
  readonly #queue = new NameQueue();
  #acked = 0;

  get size(): number {
    return this.#states.size;
  }

  get acked(): number {
    return this.#acked;
  }

  get hasQueued(): boolean {
    return !this.#urgent.isEmpty || !this.#queue.isEmpty;
  }

  /** Something lingers or someone waits: time matters. */
  get isTimed(): boolean {
    return this.#lingering.size > 0 || this.#waiting.size > 0;
  }

  isAcked(name: string): boolean {
    return this.#states.get(name) === State.acked;
  }

  /** Resolves when Redis has confirmed the channel. */
  want(name: string): Promise<void> | undefined {
    this.#lingering.delete(name);
    const state = this.#states.get(name);
    if (state === State.acked) return undefined;
    if (state === undefined) this.#states.set(name, State.queued);
    // One that stands in the long line as well is skipped there.
    if (state !== State.sent && !this.#waiting.has(name)) this.#urgent.push(name);
    const waiters = this.#waiting.get(name) ?? [];
    this.#waiting.set(name, waiters);
    return new Promise((resolve, reject) => waiters.push({ resolve, reject, since: performance.now() }));
  }

  /** No longer wanted; it lingers, since users who leave often come back. */
  leave(name: string): void {
    if (!this.#states.has(name)) return;
    this.#lingering.set(name, performance.now() + MIN_LINGER_MS + Math.random() * LINGER_SPREAD_MS);
  }

  /** The next channels to subscribe. */
  take(max: number): readonly string[] {
    const names: string[] = [];
    while (names.length < max) {
      const name = this.#urgent.shift() ?? this.#queue.shift();
      if (name === undefined) break;
      // It may have been given up, or stand in line twice.
      if (this.#states.get(name) !== State.queued) continue;
      this.#states.set(name, State.sent);
      names.push(name);
    }
    return names;
  }

  confirm(names: readonly string[]): void {
    for (const name of names) {
      if (this.#states.get(name) !== State.sent) continue;
      this.#states.set(name, State.acked);
      this.#acked++;
      for (const { resolve } of this.#waiting.get(name) ?? []) resolve();
      this.#waiting.delete(name);
    }
  }

  /** Channels that Redis did not confirm are to be subscribed once more. */
  requeue(names: readonly string[]): void {
    for (const name of names) {
      if (this.#states.get(name) !== State.sent) continue;
      this.#states.set(name, State.queued);
      this.#queue.push(name);
    }
  }

  /** Tells those who wait; the channels stay wanted. */
  reject(names: Iterable<string>, reason: BackplaneFailure, message: string): void {
    for (const name of names) {
      const waiters = this.#waiting.get(name) ?? [];
      this.#waiting.delete(name);
      for (const { reject } of waiters) reject(new BackplaneError(reason, message));
    }
  }

  /** The connection is gone, and with it every subscription. */
  lost(): void {
    for (const name of this.#states.keys()) this.#states.set(name, State.queued);
    this.#acked = 0;
  }

  /** There is nothing to send on: the next connection makes its own queue of what is wanted then. */
  dropQueue(): void {
    this.#urgent.reset([]);
    this.#queue.reset([]);
  }

  /** A new connection begins with everything that is wanted; what only lingered is given up. */
  restart(): void {
    this.lost();
    for (const name of this.#lingering.keys()) if (!this.#waiting.has(name)) this.#delete(name);
    this.#urgent.reset(this.#waiting.keys());
    this.#queue.reset(this.#states.keys());
  }

  /** Forgets at most so many channels that lingered long enough, and names them; tells whoever waited too long. */
  expire(now: number, max: number): readonly string[] {
    for (const [name, waiters] of this.#waiting) this.#rejectLate(name, waiters, now - JOIN_TIMEOUT_MS);
    const names: string[] = [];
    for (const [name, until] of this.#lingering) {
      if (names.length >= max) break;
      // One that is on its way stays: the answer to it could be taken for the answer to a later attempt.
      if (until > now || this.#states.get(name) === State.sent) continue;
      const wasAcked = this.isAcked(name);
      if (this.#waiting.has(name)) continue;
      this.#delete(name);
      if (wasAcked) names.push(name);
    }
    return names;
  }

  close(): void {
    this.reject([...this.#waiting.keys()], 'unavailable', 'The backplane is closed.');
    this.#states.clear();
    this.#lingering.clear();
    this.dropQueue();
    this.#acked = 0;
  }

  #delete(name: string): void {
    if (this.isAcked(name)) this.#acked--;
    this.#states.delete(name);
    this.#lingering.delete(name);
  }

  #rejectLate(name: string, waiters: readonly Waiter[], deadline: number): void {
    // They came in order of time.
    const rest = waiters.findIndex(({ since }) => since > deadline);
    const late = rest < 0 ? waiters : waiters.slice(0, rest);
    if (late.length === 0) return;
    if (rest < 0) this.#waiting.delete(name);
    else this.#waiting.set(name, waiters.slice(rest));
    const message = `Redis did not confirm a subscription within ${JOIN_TIMEOUT_MS} ms.`;
    for (const { reject } of late) reject(new BackplaneError('unavailable', message));
  }
}

/** First in, first out; an array's own `shift` would move the rest each time. */
class NameQueue {
  #names: string[] = [];
  #head = 0;

  get isEmpty(): boolean {
    return this.#head === this.#names.length;
  }

  push(name: string): void {
    this.#names.push(name);
  }

  shift(): string | undefined {
    if (this.isEmpty) return undefined;
    const name = this.#names[this.#head++];
    if (this.isEmpty) this.reset([]);
    return name;
  }

  reset(names: Iterable<string>): void {
    this.#names = [...names];
    this.#head = 0;
  }
}
