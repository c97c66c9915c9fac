export interface RateLimitSettings {
  /** Messages a connection may send per second in the long run. */
  readonly messagesPerSecond: number;
  /** Messages it may send at once after a pause. */
  readonly burstMessages: number;
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
  /** Refusals in a row before the connection is closed with 4429. */
  readonly maxRefusals: number;
}

/** What one connection may still send. */
export interface Allowance {
  messages: number;
  bytes: number;
  refilledAt: number;
  refusals: number;
}

const UNLIMITED: Allowance = { messages: Infinity, bytes: Infinity, refilledAt: 0, refusals: 0 };

/** `refused`: say so. `exhausted`: it was told often enough. */
export type RateVerdict = 'passed' | 'refused' | 'exhausted';

/** A token bucket of messages and one of bytes for each connection; both must have enough. */
export class RateLimiter {
  constructor(private readonly settings: RateLimitSettings | false) {}

  /** A full allowance for a new connection. */
  start(): Allowance {
    const { settings } = this;
    if (settings === false) return UNLIMITED;
    const { burstMessages: messages, burstBytes: bytes } = settings;
    return { messages, bytes, refilledAt: performance.now(), refusals: 0 };
  }

  take(allowance: Allowance, cost: number, bytes: number): RateVerdict {
    const { settings } = this;
    if (settings === false) return 'passed';
    if (allowance.messages < cost || allowance.bytes < bytes) refill(allowance, settings);
    if (allowance.messages < cost || allowance.bytes < bytes) {
      return ++allowance.refusals >= settings.maxRefusals ? 'exhausted' : 'refused';
    }
    allowance.messages -= cost;
    allowance.bytes -= bytes;
    allowance.refusals = 0;
    return 'passed';
  }
}

// Topped up only when it runs out: a connection within its limit never pays for the clock.
function refill(allowance: Allowance, settings: RateLimitSettings): void {
  const now = performance.now();
  const seconds = (now - allowance.refilledAt) / 1_000;
  allowance.refilledAt = now;
  allowance.messages = Math.min(
    settings.burstMessages,
    allowance.messages + seconds * settings.messagesPerSecond,
  );
  allowance.bytes = Math.min(settings.burstBytes, allowance.bytes + seconds * settings.bytesPerSecond);
}
