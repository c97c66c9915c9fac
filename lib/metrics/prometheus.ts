import type { Registry } from 'prom-client';
import { Histogram } from './instruments.js';
import type { RealtimeMetrics } from './realtime-metrics.js';

/** Adds this node's metrics to a prom-client registry; they are read when it is scraped. */
export function exportToPrometheus(metrics: RealtimeMetrics, register: Registry): void {
  for (const metric of metrics.all) {
    // prom-client's own counters can only be counted up by it; what it asks of a metric is a name, `get()` and `reset()`.
    const adapter = {
      name: metric.name,
      help: metric.help,
      type: metric.kind,
      aggregator: 'sum',
      // For OpenMetrics prom-client takes the `_total` off a counter's name and puts it on again by itself.
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
