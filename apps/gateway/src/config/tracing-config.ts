import { parseKeyValueList } from './key-value-list.js';
import { isTracingEnabled, type TracingEnvironment } from './tracing-environment.js';

/** The export and the sampling of traces. */
export interface TracingConfig {
  /** The collector's endpoint for OTLP over HTTP. */
  readonly url: string;
  /** Sent with each export. They may contain a secret; a function shows nothing when it is logged. */
  readonly headers: () => Record<string, string>;
  readonly protocol: 'http/protobuf' | 'http/json';
  /** The resource attributes, `service.name` included. */
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: string;
  /** The fraction of traces that a ratio sampler keeps, from 0 to 1. */
  readonly ratio: number;
}

/**
 * Builds the tracing configuration.
 *
 * @param environment a valid one
 * @returns undefined without tracing
 */
export function buildTracingConfig(environment: TracingEnvironment): TracingConfig | undefined {
  if (!isTracingEnabled(environment)) return undefined;
  const headers = Object.fromEntries(parseKeyValueList(environment.OTEL_EXPORTER_OTLP_HEADERS) ?? []);
  return {
    url: `${environment.OTEL_EXPORTER_OTLP_ENDPOINT!.replace(/\/+$/, '')}/v1/traces`,
    headers: () => headers,
    protocol: environment.OTEL_EXPORTER_OTLP_PROTOCOL as TracingConfig['protocol'],
    resource: {
      ...Object.fromEntries(parseKeyValueList(environment.OTEL_RESOURCE_ATTRIBUTES) ?? []),
      'service.name': environment.OTEL_SERVICE_NAME,
    },
    sampler: environment.OTEL_TRACES_SAMPLER,
    ratio: Number(environment.OTEL_TRACES_SAMPLER_ARG),
  };
}
