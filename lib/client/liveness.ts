import type { Hello } from '../protocol/envelope.js';
import type { ResolvedClientOptions } from './client.options.js';

/**
 * Knows by silence whether the other side is still there. Any frame counts. After `intervalMs` without one it probes,
 * and `timeoutMs` later the connection is dead: a socket's own `close` may take minutes to say so.
 */
export class Liveness {
  #heardAt: number;
  #dueAt = 0;
  #probe: 'none' | 'silence' | 'wake' = 'none';
  #timer: unknown;

  readonly #heartbeat: Hello['heartbeat'];
  readonly #options: Pick<ResolvedClientOptions, 'clock' | 'wakeTimeoutMs'>;
  readonly #sendProbe: () => void;
  readonly #onDead: () => void;

  constructor(
    heartbeat: Hello['heartbeat'],
    options: Pick<ResolvedClientOptions, 'clock' | 'wakeTimeoutMs'>,
    sendProbe: () => void,
    onDead: () => void,
  ) {
    this.#heartbeat = heartbeat;
    this.#options = options;
    this.#sendProbe = sendProbe;
    this.#onDead = onDead;
    this.#heardAt = options.clock.now();
    if (heartbeat !== null) this.#arm(heartbeat.intervalMs);
  }

  /** A frame has come. The timer stays as it is: it looks at the time when it fires. */
  heard(): void {
    this.#heardAt = this.#options.clock.now();
    this.#probe = 'none';
  }

  /** The machine woke up or its network changed: what the silence so far means is not known, so ask. */
  wake(): void {
    if (this.#probe === 'wake') return;
    this.#ask('wake', this.#options.wakeTimeoutMs);
  }

  stop(): void {
    this.#options.clock.clearTimeout(this.#timer);
  }

  #ask(probe: 'silence' | 'wake', waitMs: number): void {
    this.#probe = probe;
    this.#arm(waitMs);
    this.#sendProbe();
  }

  #arm(delayMs: number): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#dueAt = clock.now() + delayMs;
    this.#timer = clock.setTimeout(() => this.#check(), delayMs);
  }

  #check(): void {
    const now = this.#options.clock.now();
    // A timer that fires late slept with its page, and the answer may lie unread behind it: ask once more, briefly.
    const slept = now - this.#dueAt > this.#options.wakeTimeoutMs;
    if (this.#probe !== 'none') {
      if (slept && this.#probe === 'silence') this.wake();
      else this.#onDead();
    } else if (this.#heartbeat !== null) {
      // A clock that was set back must not make the wait longer.
      this.#heardAt = Math.min(this.#heardAt, now);
      const leftMs = this.#heardAt + this.#heartbeat.intervalMs - now;
      if (leftMs > 0) this.#arm(leftMs);
      else if (slept) this.wake();
      else this.#ask('silence', this.#heartbeat.timeoutMs);
    }
  }
}
