import { Counter, Gauge, Histogram } from './instruments.js';

const ROUND_TRIP_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** The metrics of a backplane. */
export class BackplaneMetrics {
  readonly published = new Counter(
    'realtime_backplane_published_total',
    'Publications to other nodes, by outcome.',
    'outcome',
  );
  readonly received = new Counter(
    'realtime_backplane_received_total',
    'Publications of other nodes.',
    'outcome',
  );
  readonly resubscriptions = new Counter(
    'realtime_backplane_resubscriptions_total',
    'Times that every channel was subscribed again.',
  );
  readonly failures = new Counter(
    'realtime_backplane_failures_total',
    'Errors of connections to the backplane.',
  );
  readonly roundTrip = new Histogram(
    'realtime_backplane_round_trip_seconds',
    'Round-trip time of a probe through the backplane.',
    ROUND_TRIP_BOUNDS,
  );
  #gauges: readonly Gauge[] = [];

  /** Sets the sources of the gauges. */
  observe(subscriptions: () => number, isUp: () => boolean): void {
    this.#gauges = [
      new Gauge('realtime_backplane_subscriptions', 'Channels this node subscribes to.', subscriptions),
      new Gauge('realtime_backplane_up', '1 while probes return.', () => (isUp() ? 1 : 0)),
    ];
  }

  get all(): readonly (Counter | Gauge | Histogram)[] {
    return [
      this.published,
      this.received,
      this.resubscriptions,
      this.failures,
      this.roundTrip,
      ...this.#gauges,
    ];
  }
}
