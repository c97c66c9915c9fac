import { randomBytes } from 'node:crypto';

/** How a probe is sent: as any publication, which this node receives itself. */
export interface ProbeRoute {
  /** Publishes the text to a channel of this node; rejects when Redis does not take it. */
  send(text: string): Promise<void>;
  /** A probe is late; the connection may still work. */
  late(): void;
  /** Closes the connections, so that new ones are made. */
  recycle(): void;
}

export interface ProbeSettings {
  readonly intervalMs: number;
  /** The backplane is down when no probe has come back for this long. */
  readonly timeoutMs: number;
}

export const PROBE: ProbeSettings = { intervalMs: 3_000, timeoutMs: 10_000 };

const FIRST_PROBE_MS = 1_000;
const LATE_MS = 1_000;
// A lost connection that is not back after this time counts as down; most reconnects are quicker.
const LOST_MS = 1_000;

/**
 * Finds out whether publications arrive. An open socket does not show it: the connection can be half-open, or the
 * subscriber left on a demoted master (centrifugo#1189). So each probe has to come back.
 */
export class RedisProbe {
  #receivedAt = -Infinity;
  #recycledAt = 0;
  #state: 'up' | 'down' = 'down';
  #timer: NodeJS.Timeout | undefined;
  #firstTimeout: NodeJS.Timeout | undefined;
  #loss: NodeJS.Timeout | undefined;
  /** Tells this node's probes from those of other programs on the same Redis. */
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
    return performance.now() - this.#receivedAt > this.settings.intervalMs + LATE_MS;
  }

  /** Resolves when the first probe has come back, or after a second. */
  start(): Promise<void> {
    this.#recycledAt = performance.now();
    this.#timer = setInterval(() => this.#beat(), this.settings.intervalMs);
    this.#timer.unref();
    return new Promise((resolve) => {
      this.#onFirst = resolve;
      this.#firstTimeout = setTimeout(resolve, FIRST_PROBE_MS);
      this.#send();
    });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    clearTimeout(this.#loss);
    this.#endStart();
  }

  /** A connection was lost: the state is down unless a probe comes back in time. */
  lost(): void {
    if (this.#timer === undefined || this.#state === 'down') return;
    this.#loss ??= setTimeout(() => this.#become('down'), LOST_MS).unref();
  }

  /** A new connection is ready: does not wait for the next interval. */
  probeNow(): void {
    if (this.#timer !== undefined) this.#send();
  }

  /** A probe has come back. */
  received(text: string): void {
    const [mark, sentAt] = text.split(' ', 2);
    if (this.#timer === undefined || mark !== this.#mark) return;
    const now = performance.now();
    const roundTripMs = now - Number(sentAt);
    // A resumed Redis delivers probes of long ago.
    if (!(roundTripMs >= 0 && roundTripMs <= this.settings.timeoutMs)) return;
    this.#receivedAt = now;
    clearTimeout(this.#loss);
    this.#loss = undefined;
    this.onRoundTrip(roundTripMs / 1_000);
    this.#become('up');
    this.#endStart();
  }

  #beat(): void {
    const now = performance.now();
    const { timeoutMs } = this.settings;
    if (this.isLate) this.route.late();
    if (now - this.#receivedAt > timeoutMs) {
      this.#become('down');
      if (now - this.#recycledAt > timeoutMs) {
        this.#recycledAt = now;
        this.route.recycle();
      }
    }
    this.#send();
  }

  #endStart(): void {
    clearTimeout(this.#firstTimeout);
    this.#onFirst?.();
    this.#onFirst = undefined;
  }

  #send(): void {
    // A failure needs no handling: the probe does not come back.
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
