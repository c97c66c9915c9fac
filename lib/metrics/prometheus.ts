import type { Registry } from 'prom-client';
import { Histogram } from './instruments.js';
import type { RealtimeMetrics } from './realtime-metrics.js';

/** Adds this node's metrics to a prom-client registry; they are read when it is scraped. */
export function exportToPrometheus(metrics: RealtimeMetrics, register: Registry): void {
  for (const metric of metrics.all) {
    const { name, help, kind } = metric;
    const read = () => ({
      name,
      help,
      type: kind,
      aggregator: 'sum' as const,
      values: metric instanceof Histogram ? histogramValues(metric) : metric.samples(),
    });
    // prom-client's own counters can only be counted up by it; what it asks of a metric is a name and `get()`.
    const adapter = { name, help, type: kind, aggregator: 'sum', get: async () => read() };
    register.registerMetric(adapter as unknown as Parameters<Registry['registerMetric']>[0]);
  }
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
