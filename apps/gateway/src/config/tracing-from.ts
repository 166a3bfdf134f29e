import type { TracingSetting } from '../tracing/tracing-setting.js';
import { pairsOf } from './pairs.js';
import { type TracingEnvironment, wantsTraces } from './tracing-environment.js';

/** @param environment one without faults */
export function tracingFrom(environment: TracingEnvironment): TracingSetting | undefined {
  if (!wantsTraces(environment)) return undefined;
  const headers = Object.fromEntries(pairsOf(environment.OTEL_EXPORTER_OTLP_HEADERS) ?? []);
  return {
    url: `${environment.OTEL_EXPORTER_OTLP_ENDPOINT!.replace(/\/+$/, '')}/v1/traces`,
    headers: () => headers,
    protocol: environment.OTEL_EXPORTER_OTLP_PROTOCOL as TracingSetting['protocol'],
    resource: {
      ...Object.fromEntries(pairsOf(environment.OTEL_RESOURCE_ATTRIBUTES) ?? []),
      'service.name': environment.OTEL_SERVICE_NAME,
    },
    sampler: environment.OTEL_TRACES_SAMPLER,
    ratio: Number(environment.OTEL_TRACES_SAMPLER_ARG),
  };
}
