import type { RealtimeMetrics } from '../../metrics/realtime-metrics.js';
import type { GatewayConnection } from './gateway-connection.js';

export interface HeartbeatSettings {
  /** How often each connection is pinged. */
  readonly intervalMs: number;
  /** How long a pinged connection may stay silent. */
  readonly timeoutMs: number;
}

const MAX_TICK_MS = 1_000;
const TICKS_PER_INTERVAL = 25;
const SLACK_MS = 250;

/**
 * Finds dead peers by their silence. One timer for all: connections are dealt out over the ticks of an interval, so
 * that pings are spread, and each tick pings one hand and ends those of an earlier one that have said nothing since.
 */
export class Heartbeat {
  readonly #buckets: Set<GatewayConnection>[];
  readonly #tickMs: number;
  readonly #timeoutTicks: number;
  #tick = 1;
  #assigned = 0;
  #beatAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    settings: HeartbeatSettings,
    private readonly metrics: RealtimeMetrics,
  ) {
    this.#tickMs = Math.min(MAX_TICK_MS, Math.max(1, Math.floor(settings.intervalMs / TICKS_PER_INTERVAL)));
    this.#timeoutTicks = Math.ceil(settings.timeoutMs / this.#tickMs);
    const ticks = Math.max(1, Math.floor(settings.intervalMs / this.#tickMs));
    this.#buckets = Array.from({ length: ticks }, () => new Set());
  }

  /** The current tick, for `seenAtTick`. */
  get tick(): number {
    return this.#tick;
  }

  add(connection: GatewayConnection): void {
    connection.seenAtTick = this.#tick;
    connection.heartbeatBucket = this.#assigned++ % this.#buckets.length;
    this.#buckets[connection.heartbeatBucket]?.add(connection);
    if (this.#timer !== undefined) return;
    this.#beatAt = performance.now();
    this.#timer = setInterval(() => this.#beat(), this.#tickMs);
    this.#timer.unref();
  }

  remove(connection: GatewayConnection): void {
    this.#buckets[connection.heartbeatBucket]?.delete(connection);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #beat(): void {
    const tick = ++this.#tick;
    const now = performance.now();
    // After a pause of this process itself the pongs may still be unread: its clients are not to blame.
    const slept = now - this.#beatAt > 3 * this.#tickMs + SLACK_MS;
    this.#beatAt = now;
    if (!slept) this.#endSilent(tick - this.#timeoutTicks);
    for (const connection of this.#handOf(tick)) connection.ping();
  }

  /** Ends those who were pinged at a tick and have said nothing since; those who came later were seen later. */
  #endSilent(pingedAt: number): void {
    for (const connection of this.#handOf(pingedAt)) {
      // The socket of one whose messages wait for their handlers is not read: the silence is ours.
      if (connection.receiveQueue.isPaused) connection.seenAtTick = this.#tick;
      if (connection.seenAtTick >= pingedAt) continue;
      this.metrics.heartbeatsMissed.add();
      connection.terminate();
    }
  }

  #handOf(tick: number): Iterable<GatewayConnection> {
    const { length } = this.#buckets;
    return this.#buckets[((tick % length) + length) % length] ?? [];
  }
}
