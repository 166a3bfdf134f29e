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
import type { Attempt } from '#libs/tencent-cloud';
import type { Answered } from '../answered.js';
import type { CallRecord } from '../call-record.js';
import { UNKNOWN } from '../callers/caller.js';
import { firstWait, type Stretch } from '../ingest-tasks/upstream-call.js';
import { parentOf } from './traceparent.js';

const ACTION = 'StopStreamIngest';

/**
 * Makes spans of a call when it has ended, from its record: nothing is sent on to the cloud, so none has to exist
 * before.
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

  record(answered: Answered): void {
    const { call } = answered;
    if (call.unlogged) return;
    const now = performance.now();
    // One offset for all spans of a call, so that they lie within each other whatever the clock does.
    const offset = Date.now() - now;
    const at = (ms: number): number => ms + offset;
    const parent = parentContext(answered.headers['traceparent'] as string | undefined);
    const server = this.tracer.startSpan(
      `${answered.method} ${answered.route}`,
      { kind: SpanKind.SERVER, startTime: at(now - answered.elapsedMs) },
      parent,
    );
    if (!server.isRecording()) return;
    call.traceId = server.spanContext().traceId;
    server.setAttributes(ofServer(answered));
    if (answered.status >= 500) server.setStatus({ code: SpanStatusCode.ERROR });
    const within = trace.setSpan(parent, server);
    if (call.askedAt !== undefined) this.#wait(firstWait(call.askedAt, call.course, now), within, at);
    const { course } = call;
    // Of those who shared a call, one trace has its attempts: whichever ends first.
    if (course && !course.traced && course.attempts.length > 0) {
      course.traced = true;
      for (const wait of course.waits) this.#wait(wait, within, at);
      for (const [n, attempt] of course.attempts.entries()) this.#attempt(attempt, n, call, within, at);
    }
    server.end(at(now));
  }

  #wait({ startedAt, durationMs }: Stretch, within: Context, at: (ms: number) => number): void {
    this.tracer
      .startSpan('wait for slot', { startTime: at(startedAt) }, within)
      .end(at(startedAt + durationMs));
  }

  #attempt(
    attempt: Attempt,
    n: number,
    { task }: CallRecord,
    within: Context,
    at: (ms: number) => number,
  ): void {
    const { startedAt, durationMs, code, succeeded, status, requestId } = attempt;
    const span = this.tracer.startSpan(
      `POST ${ACTION}`,
      { kind: SpanKind.CLIENT, startTime: at(startedAt), attributes: this.#cloud },
      within,
    );
    span.setAttribute('tencentcloud.code', code);
    if (task) span.setAttribute('tencentcloud.region', task.region);
    if (requestId !== undefined) span.setAttribute('tencentcloud.request_id', requestId);
    if (status !== undefined) span.setAttribute(ATTR_HTTP_RESPONSE_STATUS_CODE, status);
    if (n > 0) span.setAttribute(ATTR_HTTP_REQUEST_RESEND_COUNT, n);
    if (!succeeded) span.setAttribute(ATTR_ERROR_TYPE, code).setStatus({ code: SpanStatusCode.ERROR });
    span.end(at(startedAt + durationMs));
  }
}

function parentContext(traceparent: string | undefined): Context {
  const parent = parentOf(traceparent);
  if (!parent) return ROOT_CONTEXT;
  const { traceId, spanId, sampled } = parent;
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** Without the query, which may hold what was meant for another place. */
function ofServer({ id, method, url, route, httpVersion, call, status }: Answered): Attributes {
  const { caller, task, result = 'internal-error', outcome, coalesced } = call;
  const attributes: Attributes = {
    [ATTR_HTTP_REQUEST_METHOD]: method,
    [ATTR_HTTP_ROUTE]: route,
    [ATTR_URL_PATH]: url.split('?', 1)[0],
    [ATTR_URL_SCHEME]: 'http',
    [ATTR_NETWORK_PROTOCOL_VERSION]: httpVersion,
    'ingest_gateway.request_id': id,
    'ingest_gateway.caller': caller?.name ?? UNKNOWN,
    'ingest_gateway.result': result,
    'ingest_gateway.outcome': outcome,
    'ingest_gateway.coalesced': coalesced,
    'ingest_gateway.task_id': task?.taskId,
    'ingest_gateway.sdk_app_id': task?.sdkAppId,
    'ingest_gateway.region': task?.region,
  };
  // Nobody received one when the caller has left.
  if (!call.departure.aborted) attributes[ATTR_HTTP_RESPONSE_STATUS_CODE] = status;
  if (status >= 500) attributes[ATTR_ERROR_TYPE] = result;
  return attributes;
}
