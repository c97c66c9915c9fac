import { BackplaneMetrics } from './backplane-metrics.js';
import { Counter, Gauge, Histogram } from './instruments.js';

/** The values of the gauges. */
export interface Observed {
  readonly connections: () => number;
  readonly users: () => number;
  readonly rooms: () => number;
  readonly unauthenticated: () => number;
  readonly handshakesWaiting: () => number;
  readonly draining: () => boolean;
}

const HANDLER_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const HANDSHAKE_BOUNDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10];
const CONNECTION_BOUNDS = [1, 10, 60, 300, 1_800, 3_600, 14_400, 86_400];

/**
 * Counters, gauges and histograms of this node. Labels come from fixed tables (refusal reasons, error codes, close
 * codes); other values count as `other`.
 */
export class RealtimeMetrics {
  readonly connectionsOpened = new Counter('realtime_connections_opened_total', 'WebSockets accepted.');
  readonly connectionsClosed = new Counter('realtime_connections_closed_total', 'WebSockets closed.', 'code');
  readonly upgradesRefused = new Counter(
    'realtime_upgrades_refused_total',
    'Upgrade requests refused.',
    'reason',
  );
  readonly messagesReceived = new Counter(
    'realtime_messages_received_total',
    'Frames received from clients.',
  );
  readonly messagesRefused = new Counter(
    'realtime_messages_refused_total',
    'Messages that got an $error.',
    'code',
  );
  readonly answersIgnored = new Counter(
    'realtime_answers_ignored_total',
    'Replies of clients without a pending request.',
  );
  readonly messagesSent = new Counter('realtime_messages_sent_total', 'Frames written to clients.');
  readonly messagesDropped = new Counter(
    'realtime_messages_dropped_total',
    'Volatile messages dropped for slow clients.',
  );
  readonly slowConsumers = new Counter('realtime_slow_consumers_total', 'Connections closed as too slow.');
  readonly heartbeatsMissed = new Counter(
    'realtime_heartbeats_missed_total',
    'Connections closed without a sign of life.',
  );
  readonly limitsUnshared = new Counter(
    'realtime_limits_unshared_total',
    'Connections counted by this node alone because Redis did not reply.',
    'kind',
  );
  readonly hookFailures = new Counter('realtime_hook_failures_total', 'Gateway hooks that threw.', 'hook');
  readonly handlerDuration = new Histogram(
    'realtime_handler_duration_seconds',
    'From the dispatch of a message to its reply.',
    HANDLER_BOUNDS,
  );
  readonly handshakeDuration = new Histogram(
    'realtime_handshake_duration_seconds',
    'From the upgrade request to its acceptance or refusal.',
    HANDSHAKE_BOUNDS,
  );
  readonly connectionDuration = new Histogram(
    'realtime_connection_duration_seconds',
    'Duration of connections.',
    CONNECTION_BOUNDS,
  );
  /** All zero without a backplane. */
  readonly backplane = new BackplaneMetrics();
  #observed: Observed | undefined;
  readonly #gauges: readonly Gauge[] = [
    new Gauge('realtime_connections', 'Open connections.', () => this.#observed?.connections() ?? 0),
    new Gauge('realtime_users', 'Users with an open connection.', () => this.#observed?.users() ?? 0),
    new Gauge('realtime_rooms', 'Rooms with a member.', () => this.#observed?.rooms() ?? 0),
    new Gauge(
      'realtime_unauthenticated',
      'Connections that are not authenticated yet.',
      () => this.#observed?.unauthenticated() ?? 0,
    ),
    new Gauge(
      'realtime_handshakes_waiting',
      'Upgrade requests in the queue.',
      () => this.#observed?.handshakesWaiting() ?? 0,
    ),
    new Gauge('realtime_draining', '1 while the node drains.', () => (this.#observed?.draining() ? 1 : 0)),
  ];

  /** Connects the gauges to the parts of the node; until then they are zero. */
  observe(observed: Observed): void {
    this.#observed = observed;
  }

  /** Every metric, for an exporter. */
  get all(): readonly (Counter | Gauge | Histogram)[] {
    return [
      this.connectionsOpened,
      this.connectionsClosed,
      this.upgradesRefused,
      this.messagesReceived,
      this.messagesRefused,
      this.answersIgnored,
      this.messagesSent,
      this.messagesDropped,
      this.slowConsumers,
      this.heartbeatsMissed,
      this.limitsUnshared,
      this.hookFailures,
      this.handlerDuration,
      this.handshakeDuration,
      this.connectionDuration,
      ...this.#gauges,
      ...this.backplane.all,
    ];
  }
}
