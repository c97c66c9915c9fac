import { Registry, collectDefaultMetrics } from 'prom-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { exportToPrometheus } from '../../lib/metrics/prometheus.js';
import { openLobby } from '../gateway/lobby.js';
import { upgrade } from '../rig/sockets/upgrade-request.js';

const SAMPLE = /^([a-z_]+)(?:\{([^}]*)\})? (\S+)$/;

/** Parses the Prometheus text format; throws at an invalid line. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  const declared = new Set<string>();
  for (const line of text.split('\n')) {
    if (line === '' || line === '# EOF') continue;
    const declaration = /^# (?:HELP (\S+) \S.*|TYPE (\S+) (?:counter|gauge|histogram))$/.exec(line);
    if (declaration !== null) {
      declared.add(declaration[1] ?? declaration[2] ?? '');
      continue;
    }
    const [, name, labels, value] = SAMPLE.exec(line) ?? [];
    if (name === undefined || !Number.isFinite(Number(value))) throw new Error(`No sample: ${line}`);
    const family = name.replace(/_(bucket|sum|count)$/, '');
    if (!declared.has(family) && !declared.has(name) && !declared.has(name.replace(/_total$/, ''))) {
      throw new Error(`${name} was not declared.`);
    }
    const key = labels === undefined ? name : `${name}{${labels}}`;
    if (samples.has(key)) throw new Error(`${key} is there twice.`);
    samples.set(key, Number(value));
  }
  return samples;
}

describe('exportToPrometheus', () => {
  it('adds every metric to the output of a registry, with its current value', async () => {
    const { app, metrics, visits } = await openLobby();
    const register = new Registry();
    exportToPrometheus(metrics, register);
    expect(parse(await register.metrics()).get('realtime_connections')).toBe(0);
    const client = await app.connect('/lobby');
    await client.request('say', { text: 'a' });
    await upgrade(app.port, { headers: { Origin: 'https://evil.example' } });
    const gone = visits.departure();
    const other = await app.connect('/lobby');
    await other.close();
    await gone;
    const samples = parse(await register.metrics());
    expect(Object.fromEntries(samples)).toMatchObject({
      realtime_connections: 1,
      realtime_connections_opened_total: 2,
      'realtime_connections_closed_total{code="1000"}': 1,
      'realtime_upgrades_refused_total{reason="origin"}': 1,
      realtime_messages_received_total: 1,
      realtime_draining: 0,
      realtime_handler_duration_seconds_count: 1,
      'realtime_handler_duration_seconds_bucket{le="+Inf"}': 1,
      realtime_connection_duration_seconds_count: 1,
      'realtime_connection_duration_seconds_bucket{le="1"}': 1,
      realtime_handshake_duration_seconds_count: 3,
    });
    for (const { name, kind } of metrics.all) {
      if (kind !== 'gauge') continue;
      expect(samples.has(name), name).toBe(true);
    }
  });

  it('exports cumulative buckets up to the count', async () => {
    const { app, metrics, visits } = await openLobby();
    const register = new Registry();
    exportToPrometheus(metrics, register);
    const client = await app.connect('/lobby');
    visits.onHold = () => new Promise(setImmediate);
    for (let i = 0; i < 50; i++) await client.request(i % 2 === 0 ? 'say' : 'hold', { text: 'a' });
    const samples = parse(await register.metrics());
    const buckets = [...samples].filter(([key]) =>
      key.startsWith('realtime_handler_duration_seconds_bucket'),
    );
    const counts = buckets.map(([, count]) => count);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(counts.at(-1)).toBe(50);
    expect(samples.get('realtime_handler_duration_seconds_sum')).toBeGreaterThan(0);
  });

  it('supports OpenMetrics', async () => {
    const { metrics } = await openLobby();
    const register = new Registry();
    register.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    exportToPrometheus(metrics, register);
    for (let scrape = 0; scrape < 2; scrape++) {
      const text = await register.metrics();
      expect(text).toContain(
        '# TYPE realtime_connections_opened counter\nrealtime_connections_opened_total 0\n',
      );
      expect(text).not.toContain('_total_total');
    }
  });

  it('works with default labels, default metrics, JSON and a reset', async () => {
    const { app, metrics } = await openLobby();
    await app.connect('/lobby');
    const register = new Registry();
    onTestFinished(() => register.clear());
    register.setDefaultLabels({ app: 'lobby' });
    collectDefaultMetrics({ register });
    exportToPrometheus(metrics, register);
    register.resetMetrics();
    expect(await register.metrics()).toContain('realtime_connections{app="lobby"} 1\n');
    const names = (await register.getMetricsAsJSON()).map(({ name }) => name);
    expect(names).toContain('realtime_connections');
  });

  it('throws if called twice on one registry', async () => {
    const { metrics } = await openLobby();
    const register = new Registry();
    exportToPrometheus(metrics, register);
    expect(() => exportToPrometheus(metrics, register)).toThrow('already been registered');
  });
});
