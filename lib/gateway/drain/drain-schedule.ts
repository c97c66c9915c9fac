export interface DrainSettings {
  /** How many clients per second the other nodes can take. */
  readonly reconnectsPerSecond: number;
  /** When connections that are still there are cut. */
  readonly timeoutMs: number;
}

export interface DrainSchedule {
  /** Over how long clients are sent away. */
  readonly windowMs: number;
  /** How long each may stay beyond its time, to change over to another node. */
  readonly graceMs: number;
  readonly timeoutMs: number;
}

/** For an app that wants no spreading: everyone at once. */
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
