export interface DrainSettings {
  /** How many clients per second the other nodes can accept. @default 1_000 */
  readonly reconnectsPerSecond: number;
  /** How long the drain may take; connections that are still open are terminated then. @default 20_000 */
  readonly timeoutMs: number;
}

export const DRAIN_DEFAULTS: DrainSettings = { reconnectsPerSecond: 1_000, timeoutMs: 20_000 };

export interface DrainSchedule {
  /** The time over which the closes are spread. */
  readonly windowMs: number;
  /** How long each connection stays open after its time, for a handover to another node. */
  readonly graceMs: number;
  readonly timeoutMs: number;
}

/** With `drain: false` every connection is closed at once. */
const AT_ONCE: DrainSchedule = { windowMs: 0, graceMs: 0, timeoutMs: 1_000 };

export const SLICE_MS = 50;
const MAX_GRACE_MS = 1_000;
// The last slice, its grace and its closing handshakes have to fit in before the deadline.
const WINDOW_SHARE = 0.7;
const GRACE_SHARE = 0.1;

/** The window grows with the number of clients; the grace does not, since one client needs as long as any other. */
export function drainSchedule(connections: number, settings: DrainSettings | false): DrainSchedule {
  if (settings === false) return AT_ONCE;
  const { reconnectsPerSecond, timeoutMs } = settings;
  const wanted = (connections / reconnectsPerSecond) * 1_000;
  return {
    windowMs: Math.min(wanted, timeoutMs * WINDOW_SHARE),
    graceMs: Math.min(MAX_GRACE_MS, timeoutMs * GRACE_SHARE),
    timeoutMs,
  };
}
