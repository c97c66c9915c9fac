import type { Hello } from '../protocol/envelope.js';
import type { ResolvedClientOptions } from './client.options.js';

/**
 * Detects a dead connection by silence; a socket's own `close` may come minutes later. After `intervalMs` without a frame it
 * sends a probe, and `timeoutMs` later the connection counts as dead.
 */
export class Liveness {
  #receivedAt: number;
  #dueAt = 0;
  /** Why a probe was sent that has no reply yet. */
  #probe: 'silence' | 'wake' | undefined;
  #timer: unknown;

  readonly #heartbeat: Hello['heartbeat'];
  readonly #options: Pick<ResolvedClientOptions, 'clock' | 'wakeTimeoutMs'>;
  readonly #ping: () => void;
  readonly #onDead: () => void;

  constructor(
    heartbeat: Hello['heartbeat'],
    options: Pick<ResolvedClientOptions, 'clock' | 'wakeTimeoutMs'>,
    ping: () => void,
    onDead: () => void,
  ) {
    this.#heartbeat = heartbeat;
    this.#options = options;
    this.#ping = ping;
    this.#onDead = onDead;
    this.#receivedAt = options.clock.now();
    if (heartbeat !== null) this.#arm(heartbeat.intervalMs);
  }

  /** A frame has arrived. The timer stays: it compares times when it fires. */
  received(): void {
    this.#receivedAt = this.#options.clock.now();
    this.#probe = undefined;
  }

  /** The machine woke up or its network changed: probes without waiting for the timer. */
  wake(): void {
    if (this.#probe === 'wake') return;
    this.#sendProbe('wake', this.#options.wakeTimeoutMs);
  }

  stop(): void {
    this.#options.clock.clearTimeout(this.#timer);
  }

  #sendProbe(probe: 'silence' | 'wake', waitMs: number): void {
    this.#probe = probe;
    this.#arm(waitMs);
    this.#ping();
  }

  #arm(delayMs: number): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#timer);
    this.#dueAt = clock.now() + delayMs;
    this.#timer = clock.setTimeout(() => this.#check(), delayMs);
  }

  #check(): void {
    const now = this.#options.clock.now();
    // After a sleep the timer fires before frames that have arrived are read: probe once more, briefly.
    const slept = now - this.#dueAt > this.#options.wakeTimeoutMs;
    if (this.#probe) {
      if (slept && this.#probe === 'silence') this.wake();
      else this.#onDead();
    } else if (this.#heartbeat !== null) {
      // A clock that was set back must not delay the probe.
      this.#receivedAt = Math.min(this.#receivedAt, now);
      const leftMs = this.#receivedAt + this.#heartbeat.intervalMs - now;
      if (leftMs > 0) this.#arm(leftMs);
      else if (slept) this.wake();
      else this.#sendProbe('silence', this.#heartbeat.timeoutMs);
    }
  }
}
