import { BackplaneError } from '../../backplane-error.js';
import { unavailableError, isRefusal, wasNotSent } from '../client/redis-error.js';

/** How a partition's publications are sent. */
export interface PartitionRoute {
  /** Whether the owner of the partition is connected. */
  isReady(): boolean;
  send(name: string, message: string): Promise<number>;
  /** The owner did not take a publication: the slot has moved, or the owner is away or does not reply. */
  refused(error: Error): void;
}

interface Held {
  readonly sequence: number;
  readonly name: string;
  readonly message: string;
  readonly deadline: number;
  readonly resolve: (receivers: number) => void;
  readonly reject: (error: Error) => void;
}

const TIMEOUT_MS = 3_000;
const RETRY_MS = 50;
const MAX_HELD = 1_000;

/**
 * The publications of one partition of a cluster. While its owner changes they wait here, in order and for a bounded
 * time: ioredis redirects each by itself, so that a later one, already sent to the new owner, overtakes it.
 */
export class PartitionQueue {
  readonly #held: Held[] = [];
  #inFlight = 0;
  #sequence = 0;
  #resumeAt = 0;
  #unavailableSince: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(private readonly route: PartitionRoute) {}

  publish(name: string, message: string): Promise<number> {
    if (this.#isClosed) return Promise.reject(unavailableError());
    const now = performance.now();
    // Fail fast: the partition has been unavailable longer than the timeout.
    if (
      this.#unavailableSince !== undefined &&
      now - this.#unavailableSince > TIMEOUT_MS &&
      !this.route.isReady()
    ) {
      return Promise.reject(unavailableError());
    }
    if (this.#held.length >= MAX_HELD) {
      const text = `${MAX_HELD} publications wait for the new owner of their slot.`;
      return Promise.reject(new BackplaneError('overloaded', text));
    }
    return new Promise((resolve, reject) => {
      const deadline = now + TIMEOUT_MS;
      const entry = { sequence: this.#sequence++, name, message, deadline, resolve, reject };
      if (this.#held.length === 0 && now >= this.#resumeAt && this.route.isReady()) this.#send(entry);
      else this.#hold(entry);
    });
  }

  /** Holds all publications for this long, while the subscribers of other nodes move as well. */
  pause(ms: number): void {
    this.#resumeAt = Math.max(this.#resumeAt, performance.now() + ms);
    this.#unavailableSince = undefined;
    this.#drainLater();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const { reject } of this.#held.splice(0)) reject(unavailableError());
  }

  #send(entry: Held): void {
    this.#inFlight++;
    this.route.send(entry.name, entry.message).then(
      (receivers) => {
        this.#inFlight--;
        this.#unavailableSince = undefined;
        entry.resolve(receivers);
        this.#drain();
      },
      (error: Error) => {
        this.#inFlight--;
        if (wasNotSent(error) && !this.#isClosed) {
          this.#hold(entry);
          this.#resumeAt = Math.max(this.#resumeAt, performance.now() + RETRY_MS);
          this.route.refused(error);
        } else {
          entry.reject(error);
          if (!isRefusal(error)) this.route.refused(error);
        }
        this.#drain();
      },
    );
  }

  #hold(entry: Held): void {
    if (!this.route.isReady()) this.#unavailableSince ??= performance.now();
    // A publication that came back goes before later ones.
    let i = this.#held.length;
    while (i > 0 && (this.#held[i - 1] as Held).sequence > entry.sequence) i--;
    this.#held.splice(i, 0, entry);
    this.#drainLater();
  }

  #drainLater(): void {
    if (this.#held.length > 0) this.#timer ??= setTimeout(() => this.#drain(), RETRY_MS).unref();
  }

  #drain(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = performance.now();
    const inTime = this.#held.findIndex(({ deadline }) => deadline > now);
    for (const { reject } of this.#held.splice(0, inTime < 0 ? this.#held.length : inTime)) {
      reject(unavailableError());
    }
    // A publication in flight may come back, and would have to go first.
    if (this.#inFlight === 0 && now >= this.#resumeAt && this.route.isReady()) {
      for (const entry of this.#held.splice(0)) this.#send(entry);
    }
    this.#drainLater();
  }
}
