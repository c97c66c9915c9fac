import type { Registry } from 'prom-client';
import { Histogram } from './instruments.js';
import type { RealtimeMetrics } from './realtime-metrics.js';

/** Adds this node's metrics to a prom-client registry. Their values are read at each scrape. */
export function exportToPrometheus(metrics: RealtimeMetrics, register: Registry): void {
  for (const metric of metrics.all) {
    // prom-client's counters cannot be set, but a registry accepts any object with a name, `get()` and `reset()`.
    const adapter = {
      name: metric.name,
      help: metric.help,
      type: metric.kind,
      aggregator: 'sum',
      // For OpenMetrics prom-client removes `_total` from a counter's name and appends it again.
      get: async () => ({ ...adapter, values: valuesOf(metric) }),
      reset: () => {},
    };
    register.registerMetric(adapter as unknown as Parameters<Registry['registerMetric']>[0]);
  }
}

function valuesOf(metric: RealtimeMetrics['all'][number]) {
  return metric instanceof Histogram ? histogramValues(metric) : metric.samples();
}

function histogramValues(histogram: Histogram) {
  const { name } = histogram;
  const buckets = histogram.buckets().map(({ bound, count }) => ({
    metricName: `${name}_bucket`,
    labels: { le: bound },
    value: count,
  }));
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: {}, value: histogram.sum },
    { metricName: `${name}_count`, labels: {}, value: histogram.count },
  ];
}
