import type { RealtimeMetrics } from '../../metrics/realtime-metrics.js';
import type { GatewayConnection, SocketObserver } from './gateway-connection.js';

export interface HeartbeatSettings {
  /** How often each connection is pinged. @default 25_000 */
  readonly intervalMs: number;
  /** How long a pinged connection may stay silent. @default 10_000 */
  readonly timeoutMs: number;
}

export const HEARTBEAT_DEFAULTS: HeartbeatSettings = { intervalMs: 25_000, timeoutMs: 10_000 };

const MAX_TICK_MS = 1_000;
const TICKS_PER_INTERVAL = 25;
const SLACK_MS = 250;

/** A timing wheel: each tick pings one bucket and terminates connections silent since their last ping. */
export class Heartbeat implements SocketObserver {
  readonly #buckets: Set<GatewayConnection>[];
  readonly #tickMs: number;
  readonly #timeoutTicks: number;
  #tick = 1;
  #assigned = 0;
  #beatAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly settings: HeartbeatSettings | false,
    private readonly metrics: RealtimeMetrics,
  ) {
    const { intervalMs, timeoutMs } = settings === false ? HEARTBEAT_DEFAULTS : settings;
    this.#tickMs = Math.min(MAX_TICK_MS, Math.max(1, Math.floor(intervalMs / TICKS_PER_INTERVAL)));
    this.#timeoutTicks = Math.ceil(timeoutMs / this.#tickMs);
    const ticks = Math.max(1, Math.floor(intervalMs / this.#tickMs));
    this.#buckets = Array.from({ length: ticks }, () => new Set());
  }

  accepted(connection: GatewayConnection): void {
    if (this.settings === false) return;
    connection.seenAtTick = this.#tick;
    connection.heartbeatBucket = this.#assigned++ % this.#buckets.length;
    this.#buckets[connection.heartbeatBucket]?.add(connection);
    if (this.#timer !== undefined) return;
    this.#beatAt = performance.now();
    this.#timer = setInterval(() => this.#beat(), this.#tickMs);
    this.#timer.unref();
  }

  /** The client has sent something. */
  seen(connection: GatewayConnection): void {
    connection.seenAtTick = this.#tick;
  }

  closed(connection: GatewayConnection): void {
    this.#buckets[connection.heartbeatBucket]?.delete(connection);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #beat(): void {
    const tick = ++this.#tick;
    const now = performance.now();
    // After a pause of this process the pongs may not have been read yet.
    const slept = now - this.#beatAt > 3 * this.#tickMs + SLACK_MS;
    this.#beatAt = now;
    if (!slept) this.#endSilent(tick - this.#timeoutTicks);
    for (const connection of this.#bucketAt(tick)) connection.ping();
  }

  /** Terminates connections that were pinged at a tick and have sent nothing since. */
  #endSilent(pingedAt: number): void {
    for (const connection of this.#bucketAt(pingedAt)) {
      // The socket is not read while too many messages wait for their handlers.
      if (connection.receiveQueue.isPaused) connection.seenAtTick = this.#tick;
      if (connection.seenAtTick >= pingedAt) continue;
      this.metrics.heartbeatsMissed.add();
      connection.terminate();
    }
  }

  #bucketAt(tick: number): Iterable<GatewayConnection> {
    const { length } = this.#buckets;
    return this.#buckets[((tick % length) + length) % length] ?? [];
  }
}
