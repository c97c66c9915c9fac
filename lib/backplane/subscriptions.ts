import { BackplaneError } from './backplane-error.js';
import type { Backplane } from './backplane.js';

/** How long a join waits for the backplane. It then holds for this node, and for the others once it is confirmed. */
const CONFIRM_TIMEOUT_MS = 1_000;
const RETRY_MS = 1_000;

/**
 * Keeps this node subscribed to the users and rooms it serves and to its own channels. A subscription that the backplane
 * cannot confirm stays pending: the node serves its own clients, and subscribes again when the backplane is back.
 */
export class Subscriptions {
  /** Channels that are not confirmed, each with the request to the backplane that is under way. */
  readonly #pending = new Map<string, Promise<void> | undefined>();
  /** The backplane does not confirm at present, so that joins do not wait for it. */
  #isAway = true;
  #isUp = false;
  #isStopped = false;
  #retry: NodeJS.Timeout | undefined;

  /** `own` are the channels of the node itself, subscribed by `start`. */
  constructor(
    private readonly backplane: Backplane,
    private readonly own: readonly string[],
  ) {}

  /** Channels whose messages from other nodes do not reach this node yet, or no longer. */
  get pending(): number {
    return Math.max(this.#pending.size, this.backplane.unconfirmed ?? 0);
  }

  /**
   * Subscribes the node's own channels. While the backplane is away they stay pending, and it resolves after a second.
   * Rejects when the backplane refuses them, which is a wrong configuration.
   */
  async start(): Promise<void> {
    await Promise.all(this.own.map(async (channel) => this.#confirmed(channel, false)));
  }

  stop(): void {
    this.#isStopped = true;
    this.#pending.clear();
    clearTimeout(this.#retry);
  }

  /** The backplane's state has changed. */
  stateChanged(state: 'up' | 'down'): void {
    this.#isUp = state === 'up';
    this.#isAway = !this.#isUp;
    if (this.#isUp) this.#requestPending();
  }

  /**
   * Resolves when every later publish reaches this node, or when the backplane does not confirm that: then the
   * subscription is pending. Rejects when the backplane refuses it.
   */
  ready(channel: string): Promise<void> | undefined {
    return this.#confirmed(channel, this.#isAway);
  }

  release(channel: string): void {
    this.#pending.delete(channel);
    this.backplane.unsubscribe(channel);
  }

  /** Whether messages of other nodes to a wanted channel do not arrive yet. */
  isPending(channel: string): boolean {
    return this.#pending.has(channel);
  }

  #confirmed(channel: string, isAway: boolean): Promise<void> | undefined {
    const confirmed = this.#request(channel);
    if (confirmed === undefined) return undefined;
    if (isAway) {
      // The caller does not wait, and the backplane has logged a refusal.
      confirmed.catch(() => {});
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#isAway = true;
        resolve();
      }, CONFIRM_TIMEOUT_MS);
      timer.unref();
      confirmed.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  /** Resolves when the channel is confirmed or stays pending; rejects when it is refused. */
  #request(channel: string): Promise<void> | undefined {
    const request = this.backplane.subscribe(channel);
    if (request === undefined) {
      this.#pending.delete(channel);
      return undefined;
    }
    this.#pending.set(channel, request);
    return request.then(
      () => {
        this.#isAway = false;
        if (this.#pending.get(channel) === request) this.#pending.delete(channel);
      },
      (error: unknown) => {
        if (this.#pending.get(channel) === request) {
          this.#pending.set(channel, undefined);
          this.#retrySoon();
        }
        if (!(error instanceof BackplaneError) || error.reason === 'refused') throw error;
        this.#isAway = true;
      },
    );
  }

  #requestPending(): void {
    for (const [channel, request] of this.#pending) {
      if (request === undefined) this.#request(channel)?.catch(() => {});
    }
  }

  /** For a channel that fails while the backplane is up; otherwise `stateChanged` requests it again. */
  #retrySoon(): void {
    if (this.#retry !== undefined || this.#isStopped) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      if (this.#isUp) this.#requestPending();
    }, RETRY_MS);
    this.#retry.unref();
  }
}
