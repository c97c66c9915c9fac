export interface RateLimitSettings {
  /** Messages a connection may send per second in the long run. @default 1_000 */
  readonly messagesPerSecond: number;
  /** Messages it may send at once after a pause. @default 5_000 */
  readonly burstMessages: number;
  /** Bytes a connection may send per second in the long run. @default 1_048_576 */
  readonly bytesPerSecond: number;
  /** Bytes it may send at once after a pause. @default 8_388_608 */
  readonly burstBytes: number;
  /** Refusals in a row before the connection is closed with 4429. @default 100 */
  readonly maxRefusals: number;
}

export const RATE_LIMIT_DEFAULTS: RateLimitSettings = {
  messagesPerSecond: 1_000,
  burstMessages: 5_000,
  bytesPerSecond: 1_048_576,
  burstBytes: 8_388_608,
  maxRefusals: 100,
};

/** What one connection may still send. */
export interface Allowance {
  messages: number;
  bytes: number;
  refilledAt: number;
  refusals: number;
}

const UNLIMITED: Allowance = { messages: Infinity, bytes: Infinity, refilledAt: 0, refusals: 0 };

/** `refused`: above the rate. `exhausted`: refused `maxRefusals` times in a row. */
export type RateResult = 'passed' | 'refused' | 'exhausted';

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

  take(allowance: Allowance, cost: number, bytes: number): RateResult {
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
