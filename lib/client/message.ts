import type { Clock } from './environment.js';
import type { SendQueue, QueuedFrame } from './send-queue.js';
import type { QueueLimits, SendOutcome } from './send.options.js';

/** Sends a message without a reply: now, or within the limits of a queue. `onOutcome` is called once. */
export function sendMessage(
  queue: SendQueue,
  clock: Clock,
  text: string,
  limits: QueueLimits | undefined,
  onOutcome: (outcome: SendOutcome) => void,
): void {
  let timer: unknown;
  const settle = (outcome: SendOutcome) => {
    clock.clearTimeout(timer);
    queue.remove(frame);
    onOutcome(outcome);
  };
  const frame: QueuedFrame = {
    text,
    sent: () => settle('sent'),
    // Never `disconnected`: a message is written once.
    unsent: (reason) => settle(reason as SendOutcome),
  };
  if (limits) timer = clock.setTimeout(() => settle('expired'), limits.ttlMs);
  queue.push(frame, limits?.max ?? Infinity);
}
