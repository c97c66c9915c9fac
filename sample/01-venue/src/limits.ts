import type { RealtimeOptions } from 'nestjs-realtime';

const { HEARTBEAT_MS, TRUST_PROXY } = process.env;

/** Limits for this app that differ from the defaults. */
export const limits: RealtimeOptions = {
  // A person has a few windows; this many connections are a script or a leak.
  maxConnectionsPerUser: 100,
  // More than a person can click.
  rateLimit: { messagesPerSecond: 50, burstMessages: 200 },
  // Addresses of trusted proxies, for example 'loopback, 10.0.0.0/8'.
  ...(TRUST_PROXY && { trustProxy: TRUST_PROXY }),
  // How soon both sides detect a lost network.
  ...(HEARTBEAT_MS && { heartbeat: { intervalMs: Number(HEARTBEAT_MS), timeoutMs: Number(HEARTBEAT_MS) } }),
};
