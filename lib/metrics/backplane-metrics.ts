import { Counter, Gauge, Histogram } from './instruments.js';

const ROUND_TRIP_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** What a backplane counts. */
export class BackplaneMetrics {
  readonly published = new Counter(
    'realtime_backplane_published_total',
    'Publications to other nodes, by what came of them.',
    'outcome',
  );
  readonly received = new Counter(
    'realtime_backplane_received_total',
    'Publications of other nodes.',
    'outcome',
  );
  readonly resubscriptions = new Counter(
    'realtime_backplane_resubscriptions_total',
    'Times that every channel had to be subscribed again.',
  );
  readonly failures = new Counter(
    'realtime_backplane_failures_total',
    'Errors of connections to the backplane.',
  );
  readonly roundTrip = new Histogram(
    'realtime_backplane_round_trip_seconds',
    'How long a probe takes through the backplane and back.',
    ROUND_TRIP_BOUNDS,
  );
  #gauges: readonly Gauge[] = [];

  /** What the gauges look at. */
  observe(subscriptions: () => number, isUp: () => boolean): void {
    this.#gauges = [
      new Gauge('realtime_backplane_subscriptions', 'Channels this node receives.', subscriptions),
      new Gauge('realtime_backplane_up', '1 while probes come back.', () => (isUp() ? 1 : 0)),
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
