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
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { divideConnectTime } from '#libs/tencent-cloud';
import type { BacklogAttempt } from '../../async-stops/stop-executor.js';
import type { TracingConfig } from '../../config/tracing-config.js';
import type { StopOutcome } from '../../ingest-tasks/stop-outcome.js';
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

const createAgent = httpAgentFactoryFromOptions({ keepAlive: true });

/** Exports spans to a collector over OTLP. Only this folder depends on OpenTelemetry. */
export interface OtlpTracing {
  /** @returns the trace id, if the trace is recorded */
  record(
    request: FastifyRequest,
    reply: FastifyReply,
    outcome: StopOutcome,
    endedAt: number,
  ): string | undefined;
  recordAttempt(attempt: BacklogAttempt): void;
  /** Resolves when all spans are exported or dropped. */
  close(): Promise<void>;
}

/**
 * @param endpoint of Tencent Cloud
 * @param onExport called after each export, with the reason when it failed
 */
export function createOtlpTracing(
  config: TracingConfig,
  revision: string,
  endpoint: URL,
  onExport: (failure: string | undefined) => void,
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
        exporter: observe(createExporter(config), onExport),
        scheduledDelayMillis: EXPORT_INTERVAL_MS,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS + EXPORT_INTERVAL_MS,
        maxQueueSize: MAX_QUEUED_SPANS,
      }),
    ],
  });
  const spans = new StopSpans(provider.getTracer(manifest.name, manifest.version), endpoint);
  return {
    record: (...stop) => spans.record(...stop),
    recordAttempt: (attempt) => spans.recordAttempt(attempt),
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
        agentFactory: async (scheme) => divideConnectTime(await createAgent(scheme), EXPORT_TIMEOUT_MS),
      },
      protocol === 'http/json' ? JsonTraceSerializer : ProtobufTraceSerializer,
      'otlp_http_span_exporter',
      TraceExporterMetricsHelper,
      undefined,
    ),
  );
}

/** Reports the result of each export. The reason contains nothing of the request or the response. */
function observe(exporter: SpanExporter, onExport: (failure: string | undefined) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        onExport(result.error && reasonOf(result.error));
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
}

function reasonOf(error: Error & { code?: string | number }): string {
  const code = error.code;
  if (typeof code === 'number') return `HTTP ${code}`;
  return code ?? 'no response, or a temporary rejection';
}

/**
 * Creates a sampler by its name in OpenTelemetry's specification. With `parentbased_`, the caller's decision applies.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
function createSampler(name: string, ratio: number): Sampler {
  if (name.startsWith('parentbased_'))
    return new ParentBasedSampler({ root: createSampler(name.replace('parentbased_', ''), ratio) });
  if (name === 'always_off') return new AlwaysOffSampler();
  return name === 'traceidratio' ? new TraceIdRatioBasedSampler(ratio) : new AlwaysOnSampler();
}
