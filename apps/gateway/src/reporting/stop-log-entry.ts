import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Attempt } from '#libs/tencent-cloud';
import { UNKNOWN_CALLER } from '../http/caller-identity.js';
import type { StopDetails, StopOutcome } from '../ingest-tasks/stop-outcome.js';
import { initialWait, type TimeSpan } from '../ingest-tasks/upstream-call.js';

/** The log entry of a stop. docs/logs.md explains each field. */
export function stopLogEntry(
  { requestContext: context, caller }: FastifyRequest,
  { statusCode: status }: FastifyReply,
  { result, outcome, upstream, reason, details }: StopOutcome,
  traceId: string | undefined,
): Record<string, unknown> {
  const attempts = details?.upstreamCall?.attempts ?? [];
  const entry: Record<string, unknown> = { event: 'stop-completed', requestId: context.requestId };
  if (traceId !== undefined) entry['traceId'] = traceId;
  entry['caller'] = caller?.name ?? UNKNOWN_CALLER;
  if (caller === undefined && context.clientAddress !== undefined) entry['address'] = context.clientAddress;
  Object.assign(entry, details?.task, { result, outcome, status });
  if (details?.coalesced) entry['coalesced'] = details.coalesced;
  entry['attemptCount'] = attempts.length;
  entry['waitMs'] = roundToTenth(totalWaitMs(details));
  entry['upstreamMs'] = roundToTenth(totalMs(attempts));
  entry['durationMs'] = roundToTenth(performance.now() - context.startedAt);
  if (upstream?.code !== undefined) entry['upstreamCode'] = upstream.code;
  if (upstream) entry['upstreamRequestId'] = upstream.requestId;
  if (reason !== undefined) entry['reason'] = reason;
  if (attempts.length > 1) entry['attempts'] = attempts.map(summarizeAttempt);
  if (context.clientDisconnect.aborted) entry['clientDisconnected'] = true;
  return entry;
}

function totalWaitMs({ queuedAt, upstreamCall }: Partial<StopDetails> = {}): number {
  const initialMs =
    queuedAt === undefined ? 0 : initialWait(queuedAt, upstreamCall, performance.now()).durationMs;
  return initialMs + totalMs(upstreamCall?.waits ?? []);
}

function summarizeAttempt({ code, requestId, durationMs }: Attempt): Record<string, unknown> {
  return { code, ...(requestId !== undefined && { requestId }), ms: roundToTenth(durationMs) };
}

function totalMs(spans: readonly Pick<TimeSpan, 'durationMs'>[]): number {
  return spans.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

function roundToTenth(ms: number): number {
  return Math.round(ms * 10) / 10;
}
