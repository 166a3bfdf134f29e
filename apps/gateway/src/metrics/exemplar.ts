/**
 * The exemplar that leads from a sample to the trace of one call behind it, under the label that Grafana and
 * Prometheus expect.
 *
 * A metric with exemplars is registered by `registerMetric` and not by its constructor, which requires a registry
 * that only renders OpenMetrics; {@link MetricsRenderer} renders both formats.
 */
export function exemplarOf(traceId: string | undefined): { exemplarLabels?: Record<string, string> } {
  return traceId === undefined ? {} : { exemplarLabels: { trace_id: traceId } };
}
