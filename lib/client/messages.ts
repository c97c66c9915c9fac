import type { ClientParts } from './client-parts.js';
import type { Clock } from './environment.js';
import type { SendQueue, QueuedFrame } from './send-queue.js';
import type { QueueLimits, SendOutcome, Unsent, UnsentReason } from './send.options.js';

/** Sends messages that want no answer, and tells what became of each. */
export class Messages {
  #queued = 0;

  readonly #sendQueue: SendQueue;
  readonly #clock: Clock;
  readonly #parts: ClientParts;
  readonly #onUnsent: (unsent: Unsent) => void;

  constructor(sendQueue: SendQueue, clock: Clock, parts: ClientParts, onUnsent: (unsent: Unsent) => void) {
    this.#parts = parts;
    this.#sendQueue = sendQueue;
    this.#clock = clock;
    this.#onUnsent = onUnsent;
  }

  /** What happens to it is settled by the caller: sent now, given up at once, or queued within limits. */
  send(type: string, payload: unknown, fate: 'now' | 'drop' | QueueLimits): Promise<SendOutcome> {
    return new Promise((resolve) => {
      let timer: unknown;
      const settle = (outcome: SendOutcome) => {
        if (timer !== undefined) {
          this.#clock.clearTimeout(timer);
          this.#queued--;
        }
        if (outcome !== 'sent') this.#onUnsent({ type, payload, reason: outcome });
        resolve(outcome);
      };
      const queued: QueuedFrame = {
        text: this.#parts.encode(type, payload),
        retry: 'never',
        connection: undefined,
        sent: () => settle('sent'),
        // What was never answered was never lost either: a message is written once.
        unsent: (reason) => settle(reason as UnsentReason),
      };
      if (fate === 'drop') return settle('dropped');
      if (fate !== 'now') {
        if (this.#queued >= fate.max) return settle('overflow');
        this.#queued++;
        timer = this.#clock.setTimeout(() => {
          this.#sendQueue.withdraw(queued);
          settle('expired');
        }, fate.ttlMs);
      }
      this.#sendQueue.post(queued);
    });
  }
}
