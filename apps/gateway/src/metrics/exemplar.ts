/**
 * Returns the exemplar that links a sample to a trace, with the label that Grafana and Prometheus expect.
 *
 * Register a metric with exemplars with `registerMetric`. Its constructor requires a registry that renders only
 * OpenMetrics, but `MetricsController` renders both formats.
 */
export function exemplarOf(traceId: string | undefined): { exemplarLabels?: Record<string, string> } {
  return traceId === undefined ? {} : { exemplarLabels: { trace_id: traceId } };
}
