/** How this node is, for a readiness probe. */
export interface HealthReport {
  /** `draining`: send nobody here any more. `down`: not started, or the backplane does not answer. */
  readonly status: 'up' | 'draining' | 'down';
  /** This node's name, which its connection ids begin with. */
  readonly node: string;
  readonly connections: number;
  /**
   * Subscriptions of this node, such as to its users and rooms, that the backplane has not confirmed, or that a lost
   * connection has ended: only this node's messages reach them until they are confirmed.
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
