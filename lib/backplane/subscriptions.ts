import { BackplaneError } from './backplane-error.js';
import type { Backplane } from './backplane.js';

/** How long a join waits for the backplane; after that it holds for this node, and for the others once it is confirmed. */
const CONFIRM_TIMEOUT_MS = 1_000;
const RETRY_MS = 1_000;

/**
 * Keeps this node subscribed to the users and rooms it serves and to its own channels. A subscription that the backplane
 * cannot confirm now stays pending: the node serves its own clients meanwhile, and asks again when the backplane is back.
 */
export class Subscriptions {
  /** Channels that are not confirmed, each with the question that the backplane has not answered yet. */
  readonly #pending = new Map<string, Promise<void> | undefined>();
  /** The backplane does not confirm: joins need not wait to find out. */
  #isAway = true;
  #isUp = false;
  #isStopped = false;
  #retry: NodeJS.Timeout | undefined;

  /** `own` are the channels this node isSubscribed from `start` on. */
  constructor(
    private readonly backplane: Backplane,
    private readonly own: readonly string[],
  ) {}

  /** Users, rooms and own channels to which other nodes' messages do not reach this node yet, or no longer. */
  get pending(): number {
    return Math.max(this.#pending.size, this.backplane.unconfirmed ?? 0);
  }

  /**
   * Subscribes this node's own channels, for as long as a join may take; with the backplane away they stay pending.
   * Rejects when the backplane refuses them, which is a fault of the configuration.
   */
  async start(): Promise<void> {
    await Promise.all(this.own.map(async (channel) => this.#confirmed(channel, false)));
  }

  stop(): void {
    this.#isStopped = true;
    this.#pending.clear();
    clearTimeout(this.#retry);
  }

  /** The backplane has said how it is. */
  stateChanged(state: 'up' | 'down'): void {
    this.#isUp = state === 'up';
    this.#isAway = !this.#isUp;
    if (this.#isUp) this.#askAgain();
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

  /** Whether other nodes' messages do not arrive yet, although someone here waits for them. */
  isPending(channel: string): boolean {
    return this.#pending.has(channel);
  }

  #confirmed(channel: string, isAway: boolean): Promise<void> | undefined {
    const answer = this.#ask(channel);
    if (answer === undefined) return undefined;
    if (isAway) {
      // The caller does not wait for the answer; what the backplane refuses, it has logged.
      answer.catch(() => {});
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#isAway = true;
        resolve();
      }, CONFIRM_TIMEOUT_MS);
      timer.unref();
      answer.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  /** Resolves when the channel is confirmed or stays pending; rejects when it is refused. */
  #ask(channel: string): Promise<void> | undefined {
    const question = this.backplane.subscribe(channel);
    if (question === undefined) {
      this.#pending.delete(channel);
      return undefined;
    }
    this.#pending.set(channel, question);
    return question.then(
      () => {
        this.#isAway = false;
        if (this.#pending.get(channel) === question) this.#pending.delete(channel);
      },
      (error: unknown) => {
        if (this.#pending.get(channel) === question) {
          this.#pending.set(channel, undefined);
          this.#retrySoon();
        }
        if (!(error instanceof BackplaneError) || error.reason === 'refused') throw error;
        this.#isAway = true;
      },
    );
  }

  #askAgain(): void {
    for (const [channel, question] of this.#pending) {
      if (question === undefined) this.#ask(channel)?.catch(() => {});
    }
  }

  /** A backplane that is up may still not have taken one channel; one that is down says when it is back. */
  #retrySoon(): void {
    if (this.#retry !== undefined || this.#isStopped) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      if (this.#isUp) this.#askAgain();
    }, RETRY_MS);
    this.#retry.unref();
  }
}
