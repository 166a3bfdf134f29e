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
import type { Answered } from '../answered.js';
import { ReportingExporter } from './reporting-exporter.js';
import { samplerOf } from './sampler.js';
import { StopSpans } from './stop-spans.js';
import type { TracingSetting } from './tracing-setting.js';

const manifest = createRequire(import.meta.url)('#package.json') as { name: string; version: string };

/** For one export, repetitions included, in milliseconds. */
const EXPORT_TIMEOUT_MS = 5000;

/** Spans wait no longer than this for others to be sent with. */
const BATCH_EVERY_MS = 1000;

/** Beyond this a span is lost rather than kept: a collector that is away must not cost memory. */
const MOST_IN_QUEUE = 2048;

/** What callers write does not grow spans without end. */
const LONGEST_ATTRIBUTE = 512;

const CONTENT_TYPE = { 'http/protobuf': 'application/x-protobuf', 'http/json': 'application/json' };

export interface TracingSurroundings {
  readonly revision: string;
  /** Of the cloud. */
  readonly endpoint: URL;
  /** Is told how each export ended: why it failed, or undefined. */
  readonly exported: (failure: string | undefined) => void;
}

/** Spans, on their way to a collector over OTLP. The only files that know OpenTelemetry are this one's neighbours. */
export interface OtlpTracing {
  record(answered: Answered): void;
  /** Resolves when everything has been sent, or could not be. */
  close(): Promise<void>;
}

export function openTracing(
  setting: TracingSetting,
  { revision, endpoint, exported }: TracingSurroundings,
): OtlpTracing {
  const provider = new TracerProvider({
    sampler: samplerOf(setting.sampler, setting.ratio),
    spanLimits: { attributeValueLengthLimit: LONGEST_ATTRIBUTE },
    resource: resourceFromAttributes({
      [ATTR_SERVICE_VERSION]: manifest.version,
      'service.instance.id': randomUUID(),
      'vcs.ref.head.revision': revision,
      ...setting.resource,
    }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new ReportingExporter(exporterTo(setting), exported),
        scheduledDelayMillis: BATCH_EVERY_MS,
        exportTimeoutMillis: EXPORT_TIMEOUT_MS + BATCH_EVERY_MS,
        maxQueueSize: MOST_IN_QUEUE,
      }),
    ],
  });
  const spans = new StopSpans(provider.getTracer(manifest.name, manifest.version), endpoint);
  return {
    record: (answered) => spans.record(answered),
    close: () => provider.shutdown().catch(() => {}),
  };
}

/**
 * Put together from its parts: the ready-made exporter reads variables of its own from the environment, and what the
 * gateway does not read it does not obey.
 */
function exporterTo({ url, headers, protocol }: TracingSetting): SpanExporter {
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
