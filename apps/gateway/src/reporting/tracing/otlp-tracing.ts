import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { OTLPExporterBase } from '@opentelemetry/otlp-exporter-base';
import {
  createOtlpHttpExportDelegate,
  httpAgentFactoryFromOptions,
} from '@opentelemetry/otlp-exporter-base/node-http';
import {
  JsonTraceSerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
} from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { TracingConfig } from '../../config/tracing-config.js';
import type { StopOutcome } from '../../ingest-tasks/stop-outcome.js';
import type { CompletedRequest } from '../completed-request.js';
import { ObservedSpanExporter } from './observed-span-exporter.js';
import { createSampler } from './sampler.js';
import { StopSpans } from './stop-spans.js';

const manifest = createRequire(import.meta.url)('#package.json') as { name: string; version: string };

/** Of one export, including retries. */
const EXPORT_TIMEOUT_MS = 5000;

/** The maximum time that a span waits for its batch. */
const EXPORT_INTERVAL_MS = 1000;

/** Further spans are dropped, so that an unavailable collector does not cost memory. */
const MAX_QUEUED_SPANS = 2048;

/** Attributes contain text from callers. */
const MAX_ATTRIBUTE_LENGTH = 512;

const CONTENT_TYPE = { 'http/protobuf': 'application/x-protobuf', 'http/json': 'application/json' };

export interface OtlpTracingOptions {
  readonly revision: string;
  /** Of Tencent Cloud. */
  readonly endpoint: URL;
  /** Called after each export, with the reason when it failed. */
  readonly onExport: (failure: string | undefined) => void;
}

/** Exports spans to a collector over OTLP. Only this folder depends on OpenTelemetry. */
export interface OtlpTracing {
  /** @returns the trace id, if the trace is recorded */
  record(request: CompletedRequest, outcome: StopOutcome): string | undefined;
  /** Resolves when all spans are exported or dropped. */
  close(): Promise<void>;
}

export function createOtlpTracing(
  config: TracingConfig,
  { revision, endpoint, onExport }: OtlpTracingOptions,
): OtlpTracing {
  const provider = new TracerProvider({
    sampler: createSampler(config.sampler, config.ratio),
    spanLimits: { attributeValueLengthLimit: MAX_ATTRIBUTE_LENGTH },
    resource: resourceFromAttributes({
      [ATTR_SERVICE_VERSION]: manifest.version,
      'service.instance.id': randomUUID(),
      'vcs.ref.head.revision': revision,
      ...config.resource,
    }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new ObservedSpanExporter(createExporter(config), onExport),
        scheduledDelayMillis: EXPORT_INTERVAL_MS,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS + EXPORT_INTERVAL_MS,
        maxQueueSize: MAX_QUEUED_SPANS,
      }),
    ],
  });
  const spans = new StopSpans(provider.getTracer(manifest.name, manifest.version), endpoint);
  return {
    record: (request, outcome) => spans.record(request, outcome),
    close: () => provider.shutdown().catch(() => {}),
  };
}

/**
 * Not OpenTelemetry's own OTLPTraceExporter, because it reads environment variables that the gateway does not validate.
 */
function createExporter({ url, headers, protocol }: TracingConfig): SpanExporter {
  return new OTLPExporterBase(
    createOtlpHttpExportDelegate(
      {
        url,
        headers: () => Promise.resolve({ ...headers(), 'Content-Type': CONTENT_TYPE[protocol] }),
        timeoutMillis: EXPORT_TIMEOUT_MS,
        concurrencyLimit: 4,
        compression: 'none',
        agentFactory: httpAgentFactoryFromOptions({ keepAlive: true }),
      },
      protocol === 'http/json' ? JsonTraceSerializer : ProtobufTraceSerializer,
      'otlp_http_span_exporter',
      TraceExporterMetricsHelper,
      undefined,
    ),
  );
}
