export interface DrainSettings {
  /** How many clients per second the other nodes can take. */
  readonly reconnectsPerSecond: number;
  /** When connections that are still there are cut. */
  readonly timeoutMs: number;
}

/** For an app that wants no spreading: everyone at once, and little patience. */
export const DRAIN_AT_ONCE: DrainSettings = { reconnectsPerSecond: Infinity, timeoutMs: 1_000 };

export const SLICE_MS = 50;
const MAX_GRACE_MS = 1_000;
// The last slice, its grace and its closing handshakes have to fit in before the deadline.
const WINDOW_SHARE = 0.7;
const GRACE_SHARE = 0.1;

/** Over how long clients are sent away, and how long each may stay on beyond its time to change over. */
export function drainWindow(
  connections: number,
  settings: DrainSettings,
): { windowMs: number; graceMs: number } {
  const wanted = (connections / settings.reconnectsPerSecond) * 1_000;
  const windowMs = Math.min(wanted, settings.timeoutMs * WINDOW_SHARE);
  return { windowMs, graceMs: Math.min(MAX_GRACE_MS, windowMs, settings.timeoutMs * GRACE_SHARE) };
}
