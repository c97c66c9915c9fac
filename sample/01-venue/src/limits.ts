import type { RealtimeOptions } from 'nestjs-realtime';

const { HEARTBEAT_MS, TRUST_PROXY } = process.env;

/** What this house turns on beyond the defaults: it knows how its people work. */
export const limits: RealtimeOptions = {
  // A person has a few windows; this many are a script, or a page that does not let go.
  maxConnectionsPerUser: 100,
  // Nobody presses buttons quicker than that.
  rateLimit: { messagesPerSecond: 50, burstMessages: 200 },
  // Addresses like 'loopback, 10.0.0.0/8': the proxies that may say who the client is.
  ...(TRUST_PROXY && { trustProxy: TRUST_PROXY }),
  // How soon a network that is gone is noticed, by both sides.
  ...(HEARTBEAT_MS && { heartbeat: { intervalMs: Number(HEARTBEAT_MS), timeoutMs: Number(HEARTBEAT_MS) } }),
};
