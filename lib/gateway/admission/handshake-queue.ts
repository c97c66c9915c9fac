import type { EventEmitter } from 'node:events';
import { KeyCounts } from './connection-counts.js';
import { GONE, PASSED, rejected, type Checked, type UpgradeRejection } from './upgrade-rejection.js';

export interface HandshakeSettings {
  /** How many handshakes are authenticated at a time. @default 200 */
  readonly maxConcurrent: number;
  /** How many may begin in a second. @default false */
  readonly maxPerSecond: number | false;
  /** How many may wait for their turn. @default 5_000 */
  readonly maxWaiting: number;
  /** How many of one IP may wait; behind a proxy it needs `trustProxy`. @default a fifth of maxWaiting */
  readonly maxWaitingPerIp: number | false;
  /** How long one may wait. @default 5_000 */
  readonly maxWaitMs: number;
}

export const HANDSHAKE_DEFAULTS: HandshakeSettings = {
  maxConcurrent: 200,
  maxPerSecond: false,
  maxWaiting: 5_000,
  maxWaitingPerIp: 1_000,
  maxWaitMs: 5_000,
};

interface Waiting {
  readonly since: number;
  readonly settle: (result: Checked) => void;
}

/**
 * Limits how many handshakes are authenticated at a time, for the moment when every client reconnects after a restart.
 * A handshake that would wait too long is refused with a time to retry, before its client gives up by itself.
 */
export class HandshakeQueue {
  readonly #waiting = new Set<Waiting>();
  readonly #waitingByNetwork = new KeyCounts();
  #active = 0;
  #allowance: number;
  #refilledAt = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly settings: HandshakeSettings | false) {
    this.#allowance = settings === false || settings.maxPerSecond === false ? 0 : settings.maxPerSecond;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Passes when it is the handshake's turn: call `leave` afterwards. A handshake whose socket ends while it waits leaves
   * the queue.
   */
  enter(socket: EventEmitter, network: string): Checked | Promise<Checked> {
    const { settings } = this;
    if (settings === false) return PASSED;
    if (this.#waiting.size === 0 && this.#take(settings)) return PASSED;
    if (this.#waiting.size >= settings.maxWaiting) return rejected(this.#rejection(settings));
    if (this.#isShareUsed(settings, network)) {
      return rejected({ ...this.#rejection(settings), reason: 'handshake_queue_per_ip', status: 429 });
    }
    this.#waitingByNetwork.add(network);
    return new Promise((resolve) => {
      const hangUp = () => {
        this.#waiting.delete(waiting);
        waiting.settle(GONE);
      };
      const waiting: Waiting = {
        since: performance.now(),
        settle: (result) => {
          socket.off('end', hangUp).off('close', hangUp);
          this.#waitingByNetwork.remove(network);
          resolve(result);
        },
      };
      socket.once('end', hangUp).once('close', hangUp);
      this.#waiting.add(waiting);
      this.#schedule(settings);
    });
  }

  leave(): void {
    if (this.settings === false) return;
    this.#active--;
    this.#advance(this.settings);
  }

  /** Refuses every handshake that waits. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.settings === false) return;
    const refused = [...this.#waiting];
    this.#waiting.clear();
    for (const { settle } of refused) settle(rejected(this.#rejection(this.settings)));
  }

  #isShareUsed({ maxWaitingPerIp }: HandshakeSettings, network: string): boolean {
    return maxWaitingPerIp !== false && this.#waitingByNetwork.of(network) >= maxWaitingPerIp;
  }

  #take({ maxConcurrent, maxPerSecond }: HandshakeSettings): boolean {
    if (this.#active >= maxConcurrent) return false;
    if (maxPerSecond !== false) {
      const now = performance.now();
      this.#allowance = Math.min(
        maxPerSecond,
        this.#allowance + ((now - this.#refilledAt) / 1_000) * maxPerSecond,
      );
      this.#refilledAt = now;
      if (this.#allowance < 1) return false;
      this.#allowance--;
    }
    this.#active++;
    return true;
  }

  #advance(settings: HandshakeSettings): void {
    const deadline = performance.now() - settings.maxWaitMs;
    for (const waiting of this.#waiting) {
      const isLate = waiting.since <= deadline;
      if (!isLate && !this.#take(settings)) break;
      this.#waiting.delete(waiting);
      waiting.settle(isLate ? rejected(this.#rejection(settings)) : PASSED);
    }
    this.#schedule(settings);
  }

  /** Wakes up for the next allowance or the next expiry, whichever comes first. */
  #schedule(settings: HandshakeSettings): void {
    if (this.#timer !== undefined) return;
    const [first] = this.#waiting;
    if (first === undefined) return;
    const expiresIn = first.since + settings.maxWaitMs - performance.now();
    const refillsIn = settings.maxPerSecond === false ? Infinity : 1_000 / settings.maxPerSecond;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#advance(settings);
      },
      Math.max(1, Math.min(expiresIn, refillsIn)),
    );
    this.#timer.unref();
  }

  /** With a random delay, so that clients that are refused together do not return together. */
  #rejection({ maxPerSecond, maxWaitMs }: HandshakeSettings): UpgradeRejection {
    const backlog = maxPerSecond === false ? maxWaitMs / 1_000 : this.#waiting.size / maxPerSecond;
    const retryAfter = 1 + Math.ceil(Math.random() * 2 * backlog);
    return { reason: 'handshake_queue', status: 503, message: 'too many handshakes', retryAfter };
  }
}
