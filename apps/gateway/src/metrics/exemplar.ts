/**
 * What leads from a number to one of the calls behind it, under the label that Grafana and Prometheus look for.
 *
 * A metric that takes exemplars is registered by `registerMetric` and not by its constructor, which insists on a
 * registry that only speaks OpenMetrics; {@link Exposition} speaks both.
 */
export function exemplarOf(traceId: string | undefined): { exemplarLabels?: Record<string, string> } {
  return traceId === undefined ? {} : { exemplarLabels: { trace_id: traceId } };
}
