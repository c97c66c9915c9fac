/** How this node is, for a readiness probe. */
export interface HealthReport {
  /** `draining`: send nobody here any more. `down`: not started, or the backplane does not answer. */
  readonly status: 'up' | 'draining' | 'down';
  /** This node's name, which its connection ids begin with. */
  readonly node: string;
  readonly connections: number;
  /**
   * Subscriptions to users and rooms here that the backplane has not confirmed, because it was away or slow: only this
   * node's messages reach them until it is back.
   */
  readonly pendingSubscriptions: number;
}

/** Says whether this node should get traffic; needs no health library. */
export class RealtimeHealth {
  constructor(private readonly look: () => HealthReport) {}

  /** Whether new clients are welcome. */
  get isReady(): boolean {
    return this.look().status === 'up';
  }

  report(): HealthReport {
    return this.look();
  }
}
