import type { EventEmitter } from 'node:events';
import { DeliveryCounts } from './connection-counts.js';
import { GONE, type UpgradeRejection } from './upgrade-rejection.js';

export interface HandshakeSettings {
  /** How many handshakes are judged at a time. */
  readonly maxConcurrent: number;
  /** How many may begin in a second. */
  readonly maxPerSecond: number | false;
  /** How many may wait for their turn. */
  readonly maxWaiting: number;
  /** How many of one IP may wait; behind a proxy it needs `trustProxy`. */
  readonly maxWaitingPerIp: number | false;
  /** How long one may wait. */
  readonly maxWaitMs: number;
}

interface Waiting {
  readonly since: number;
  readonly admit: (refusal: UpgradeRejection | undefined) => void;
}

/**
 * Lets handshakes in at a pace the app can keep after a restart brings everyone back at once. Those who would wait too
 * long are told when to return: work for a client that has given up already is what turns a peak into an outage.
 */
export class HandshakeQueue {
  readonly #waiting = new Set<Waiting>();
  readonly #waitingByNetwork = new DeliveryCounts();
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
   * Resolves when it is the handshake's turn (then call `leave`), or with why it will not be. Of a client whose socket
   * ends meanwhile the place is given to the next one.
   */
  enter(socket: EventEmitter, network: string): Promise<UpgradeRejection | undefined> | undefined {
    const { settings } = this;
    if (settings === false) return undefined;
    if (this.#waiting.size === 0 && this.#take(settings)) return undefined;
    if (this.#waiting.size >= settings.maxWaiting) return Promise.resolve(this.#refusal(settings));
    if (this.#hasItsShare(settings, network)) {
      return Promise.resolve({ ...this.#refusal(settings), reason: 'handshake_queue_per_ip', status: 429 });
    }
    this.#waitingByNetwork.add(network);
    return new Promise((resolve) => {
      const hangUp = () => {
        this.#waiting.delete(waiting);
        waiting.admit(GONE);
      };
      const waiting: Waiting = {
        since: performance.now(),
        admit: (refusal) => {
          socket.off('end', hangUp).off('close', hangUp);
          this.#waitingByNetwork.remove(network);
          resolve(refusal);
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

  /** Turns everyone away who waits. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.settings === false) return;
    const refused = [...this.#waiting];
    this.#waiting.clear();
    for (const { admit } of refused) admit(this.#refusal(this.settings));
  }

  #hasItsShare({ maxWaitingPerIp }: HandshakeSettings, network: string): boolean {
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
      waiting.admit(isLate ? this.#refusal(settings) : undefined);
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

  /** Spread, so that those turned away together do not return together. */
  #refusal({ maxPerSecond, maxWaitMs }: HandshakeSettings): UpgradeRejection {
    const backlog = maxPerSecond === false ? maxWaitMs / 1_000 : this.#waiting.size / maxPerSecond;
    const retryAfter = 1 + Math.ceil(Math.random() * 2 * backlog);
    return { reason: 'handshake_queue', status: 503, message: 'too many handshakes', retryAfter };
  }
}
