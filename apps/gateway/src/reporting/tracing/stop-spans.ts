import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_REQUEST_RESEND_COUNT,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_URL_FULL,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
} from '@opentelemetry/semantic-conventions';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Attempt } from '#libs/tencent-cloud';
import type { BacklogAttempt } from '../../async-stops/stop-executor.js';
import { UNKNOWN_CALLER } from '../../http/caller-identity.js';
import { type ParentSpan, parseTraceparent } from '../../http/traceparent.js';
import type { StopOutcome } from '../../ingest-tasks/stop-outcome.js';
import { STOP_ROUTE } from '../../ingest-tasks/stop-request.js';
import { initialWait, type TimeSpan } from '../../ingest-tasks/upstream-call.js';

const ACTION = 'StopStreamIngest';

/**
 * Creates the spans of a stop after its end. No trace context is sent to the cloud, so no span has to exist earlier.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 */
export class StopSpans {
  readonly #cloud: Attributes;

  constructor(
    private readonly tracer: Tracer,
    endpoint: URL,
  ) {
    this.#cloud = {
      [ATTR_HTTP_REQUEST_METHOD]: 'POST',
      [ATTR_URL_FULL]: endpoint.href,
      [ATTR_SERVER_ADDRESS]: endpoint.hostname,
      [ATTR_SERVER_PORT]: Number(endpoint.port) || (endpoint.protocol === 'https:' ? 443 : 80),
      'tencentcloud.action': ACTION,
    };
  }

  /**
   * @param endedAt in milliseconds of the monotonic clock
   * @returns the trace id, if the trace is recorded
   */
  record(
    request: FastifyRequest,
    reply: FastifyReply,
    outcome: StopOutcome,
    endedAt: number,
  ): string | undefined {
    const toEpochMs = epochConversion();
    const parent = parentContext(request.requestContext.parentSpan);
    const server = this.tracer.startSpan(
      `${request.method} ${STOP_ROUTE}`,
      { kind: SpanKind.SERVER, startTime: toEpochMs(request.requestContext.startedAt) },
      parent,
    );
    if (!server.isRecording()) return undefined;
    server.setAttributes(serverAttributes(request, reply, outcome));
    if (reply.statusCode >= 500) server.setStatus({ code: SpanStatusCode.ERROR });
    const context = trace.setSpan(parent, server);
    const { queuedAt, upstreamCall } = outcome.details ?? {};
    if (queuedAt !== undefined)
      this.#recordWait(initialWait(queuedAt, upstreamCall, endedAt), context, toEpochMs);
    this.#recordUpstreamCall(outcome, context, toEpochMs);
    server.end(toEpochMs(endedAt));
    return server.spanContext().traceId;
  }

  /**
   * Creates the spans of an attempt of the backlog, in a trace of its own: a stop may be pending for hours. The trace is
   * linked to the one in which the stop was submitted.
   */
  recordAttempt({ stopId, caller, startedAt, outcome, traceparent }: BacklogAttempt): void {
    const toEpochMs = epochConversion();
    const submitted = trace.getSpanContext(parentContext(parseTraceparent(traceparent)));
    const span = this.tracer.startSpan(
      'execute asynchronous stop',
      {
        kind: SpanKind.CONSUMER,
        startTime: toEpochMs(startedAt),
        links: submitted ? [{ context: submitted }] : [],
      },
      ROOT_CONTEXT,
    );
    if (!span.isRecording()) return;
    span.setAttributes({ 'ingest_gateway.stop_id': stopId, ...stopAttributes(caller, outcome) });
    if (outcome.outcome !== 'stopped') {
      span.setAttribute(ATTR_ERROR_TYPE, outcome.result);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.#recordUpstreamCall(outcome, trace.setSpan(ROOT_CONTEXT, span), toEpochMs);
    span.end(toEpochMs(performance.now()));
  }

  /** If stops share an upstream call, its attempts are in the trace of the first stop that ends. */
  #recordUpstreamCall({ details }: StopOutcome, context: Context, toEpochMs: (ms: number) => number): void {
    const { upstreamCall, task } = details ?? {};
    if (!upstreamCall || upstreamCall.spansExported || upstreamCall.attempts.length === 0) return;
    upstreamCall.spansExported = true;
    for (const wait of upstreamCall.waits) this.#recordWait(wait, context, toEpochMs);
    for (const [index, attempt] of upstreamCall.attempts.entries())
      this.#recordAttempt(attempt, index, task?.region, context, toEpochMs);
  }

  #recordWait(
    { startedAt, durationMs }: TimeSpan,
    context: Context,
    toEpochMs: (ms: number) => number,
  ): void {
    this.tracer
      .startSpan('wait for slot', { startTime: toEpochMs(startedAt) }, context)
      .end(toEpochMs(startedAt + durationMs));
  }

  #recordAttempt(
    attempt: Attempt,
    index: number,
    region: string | undefined,
    context: Context,
    toEpochMs: (ms: number) => number,
  ): void {
    const { startedAt, durationMs, code, succeeded, status, requestId } = attempt;
    const span = this.tracer.startSpan(
      `POST ${ACTION}`,
      { kind: SpanKind.CLIENT, startTime: toEpochMs(startedAt), attributes: this.#cloud },
      context,
    );
    span.setAttributes({
      'tencentcloud.code': code,
      'tencentcloud.region': region,
      'tencentcloud.request_id': requestId,
      [ATTR_HTTP_RESPONSE_STATUS_CODE]: status,
      [ATTR_HTTP_REQUEST_RESEND_COUNT]: index > 0 ? index : undefined,
      [ATTR_ERROR_TYPE]: succeeded ? undefined : code,
    });
    if (!succeeded) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(toEpochMs(startedAt + durationMs));
  }
}

/** Returns the conversion for all spans of a stop: with one offset, they nest even if the wall clock changes. */
function epochConversion(): (ms: number) => number {
  const offset = Date.now() - performance.now();
  return (ms) => ms + offset;
}

function parentContext(parent: ParentSpan | undefined): Context {
  if (!parent) return ROOT_CONTEXT;
  const { traceId, spanId, isSampled } = parent;
  const traceFlags = isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** Without the query, which may contain a secret by mistake. */
function serverAttributes(
  { requestContext: context, method, originalUrl, raw, caller }: FastifyRequest,
  { statusCode: status }: FastifyReply,
  outcome: StopOutcome,
): Attributes {
  return {
    [ATTR_HTTP_REQUEST_METHOD]: method,
    [ATTR_HTTP_ROUTE]: STOP_ROUTE,
    [ATTR_URL_PATH]: originalUrl.split('?', 1)[0],
    [ATTR_URL_SCHEME]: 'http',
    [ATTR_NETWORK_PROTOCOL_VERSION]: raw.httpVersion,
    'ingest_gateway.request_id': context.requestId,
    'ingest_gateway.stop_id': outcome.details?.stopId,
    ...stopAttributes(caller?.name ?? UNKNOWN_CALLER, outcome),
    // A client that has disconnected did not receive the response.
    [ATTR_HTTP_RESPONSE_STATUS_CODE]: context.clientDisconnect.aborted ? undefined : status,
    [ATTR_ERROR_TYPE]: status >= 500 ? outcome.result : undefined,
  };
}

function stopAttributes(caller: string, { result, outcome, details }: StopOutcome): Attributes {
  return {
    'ingest_gateway.caller': caller,
    'ingest_gateway.result': result,
    'ingest_gateway.outcome': outcome,
    'ingest_gateway.coalesced': details?.coalesced,
    'ingest_gateway.task_id': details?.task.taskId,
    'ingest_gateway.sdk_app_id': details?.task.sdkAppId,
    'ingest_gateway.region': details?.task.region,
  };
}
