import { parseKeyValueList } from './key-value-list.js';
import { isTracingEnabled, type TracingEnvironment } from './tracing-environment.js';

/** Where traces go, and which. */
export interface TracingConfig {
  /** Accepts OTLP over HTTP by POST. */
  readonly url: string;
  /** Sent with each export. They may hold a secret; a function shows nothing when it is printed. */
  readonly headers: () => Record<string, string>;
  readonly protocol: 'http/protobuf' | 'http/json';
  /** The resource attributes, `service.name` included. */
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: string;
  /** 0 to 1: the share of traces that a ratio sampler keeps. */
  readonly ratio: number;
}

/**
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
