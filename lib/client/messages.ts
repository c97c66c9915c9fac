import type { Clock } from './environment.js';
import type { Link } from './link.js';
import type { Outbox, Parcel } from './outbox.js';
import type { QueueLimits, SendOutcome, Unsent, UnsentReason } from './send.options.js';

/** A message without an answer, from `send` until it is written or given up. */
class SentMessage implements Parcel {
  readonly retry = 'never';
  link: Link | undefined;

  constructor(
    readonly text: string,
    readonly settle: (outcome: SendOutcome) => void,
  ) {}

  sent(): void {
    this.settle('sent');
  }

  unsent(reason: UnsentReason): void {
    this.settle(reason);
  }
}

/** Sends messages that want no answer, and tells what became of each. */
export class Messages {
  #queued = 0;

  constructor(
    private readonly outbox: Outbox,
    private readonly clock: Clock,
    private readonly onUnsent: (unsent: Unsent) => void,
  ) {}

  /** What happens to it is settled by the caller: sent now, given up at once, or queued within limits. */
  send(
    type: string,
    payload: unknown,
    fate: 'now' | 'dropped' | 'closed' | QueueLimits,
  ): Promise<SendOutcome> {
    return new Promise((resolve) => {
      const text = JSON.stringify({ type, payload });
      let timer: unknown;
      let isQueued = false;
      const message = new SentMessage(text, (outcome) => {
        this.clock.clearTimeout(timer);
        if (isQueued) this.#queued--;
        if (outcome !== 'sent') this.onUnsent({ type, payload, reason: outcome });
        resolve(outcome);
      });
      if (fate === 'dropped' || fate === 'closed') return message.settle(fate);
      if (fate !== 'now') {
        if (this.#queued >= fate.max) return message.settle('overflow');
        isQueued = true;
        this.#queued++;
        timer = this.clock.setTimeout(() => {
          this.outbox.withdraw(message);
          message.settle('expired');
        }, fate.ttlMs);
      }
      this.outbox.post(message);
    });
  }
}
