/** The state of this node, for readiness probes. */
export interface HealthReport {
  /** `draining`: shutting down, accepts no new clients. `down`: not started, or the backplane does not respond. */
  readonly status: 'up' | 'draining' | 'down';
  /** The id of this node, which its connection ids start with. */
  readonly node: string;
  /** Open connections of this node. */
  readonly connections: number;
  /**
   * Subscriptions of this node, for example to its users and rooms, that the backplane has not confirmed. Messages of other
   * nodes do not reach them yet.
   */
  readonly pendingSubscriptions: number;
}

/** Reports whether this node should get traffic. It needs no health library. */
export class RealtimeHealth {
  constructor(private readonly read: () => HealthReport) {}

  /** True if this node accepts new clients and reaches the other nodes. */
  get isReady(): boolean {
    return this.read().status === 'up';
  }

  /** The current state, for a health endpoint. */
  report(): HealthReport {
    return this.read();
  }
}
