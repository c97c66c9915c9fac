import { randomBytes } from 'node:crypto';

/** How a probe goes round: published like any message, and heard like one. */
export interface ProbeRoute {
  /** Publishes the text so that this node isSubscribed it; rejects when Redis does not take it. */
  send(text: string): Promise<void>;
  /** A probe has not come back when it should have; it may be too early to give up. */
  late(): void;
  /** Gives up the connections that do not answer, so that new ones are made. */
  recycle(): void;
}

export interface ProbeSettings {
  readonly intervalMs: number;
  /** After so long without hearing a probe the backplane counts as down. */
  readonly timeoutMs: number;
}

export const PROBE: ProbeSettings = { intervalMs: 3_000, timeoutMs: 10_000 };

const FIRST_PROBE_MS = 1_000;
const LATE_MS = 1_000;
// A connection that was lost and is not back after this counts as down; most reconnects are quicker.
const LOST_MS = 1_000;

/**
 * Knows whether messages really travel: a socket that is open says nothing about a half-open connection, a black hole,
 * or a subscriber left on a demoted master (centrifugo#1189). What it sends has to come back.
 */
export class RedisProbe {
  #heardAt = -Infinity;
  #recycledAt = 0;
  #state: 'up' | 'down' = 'down';
  #timer: NodeJS.Timeout | undefined;
  #patience: NodeJS.Timeout | undefined;
  #loss: NodeJS.Timeout | undefined;
  /** Redis may be shared: what another program sends proves nothing. */
  readonly #mark = randomBytes(8).toString('hex');
  #onFirst: (() => void) | undefined;

  constructor(
    private readonly route: ProbeRoute,
    private readonly settings: ProbeSettings,
    private readonly onState: (state: 'up' | 'down') => void,
    private readonly onRoundTrip: (seconds: number) => void,
  ) {}

  get state(): 'up' | 'down' {
    return this.#state;
  }

  /** The last probe should have come back by now. */
  get isLate(): boolean {
    return performance.now() - this.#heardAt > this.settings.intervalMs + LATE_MS;
  }

  /** Resolves when the first probe has come back, or when that takes too long to wait for. */
  start(): Promise<void> {
    this.#recycledAt = performance.now();
    this.#timer = setInterval(() => this.#beat(), this.settings.intervalMs);
    this.#timer.unref();
    return new Promise((resolve) => {
      this.#onFirst = resolve;
      this.#patience = setTimeout(resolve, FIRST_PROBE_MS);
      this.#send();
    });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    clearTimeout(this.#loss);
    this.#welcome();
  }

  /** A connection was lost: nothing gets through before a probe has come back. */
  lost(): void {
    if (this.#timer === undefined || this.#state === 'down') return;
    this.#loss ??= setTimeout(() => this.#become('down'), LOST_MS).unref();
  }

  /** A fresh connection is ready; no need to wait for the next turn to know. */
  hurry(): void {
    if (this.#timer !== undefined) this.#send();
  }

  /** A probe has come back. */
  heard(text: string): void {
    const [mark, sentAt] = text.split(' ', 2);
    if (this.#timer === undefined || mark !== this.#mark) return;
    const now = performance.now();
    const roundTripMs = now - Number(sentAt);
    // A Redis that was frozen says what it had been told long ago.
    if (!(roundTripMs >= 0 && roundTripMs <= this.settings.timeoutMs)) return;
    this.#heardAt = now;
    clearTimeout(this.#loss);
    this.#loss = undefined;
    this.onRoundTrip(roundTripMs / 1_000);
    this.#become('up');
    this.#welcome();
  }

  #beat(): void {
    const now = performance.now();
    const { timeoutMs } = this.settings;
    if (this.isLate) this.route.late();
    if (now - this.#heardAt > timeoutMs) {
      this.#become('down');
      if (now - this.#recycledAt > timeoutMs) {
        this.#recycledAt = now;
        this.route.recycle();
      }
    }
    this.#send();
  }

  #welcome(): void {
    clearTimeout(this.#patience);
    this.#onFirst?.();
    this.#onFirst = undefined;
  }

  #send(): void {
    // A probe that cannot be sent is one that will not be heard; there is no more to do about it.
    this.route.send(`${this.#mark} ${performance.now()}`).catch(() => {});
  }

  #become(state: 'up' | 'down'): void {
    if (state === this.#state) return;
    this.#state = state;
    clearTimeout(this.#loss);
    this.#loss = undefined;
    this.onState(state);
  }
}
