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
  endedAt: number,
  traceId: string | undefined,
): Record<string, unknown> {
  const attempts = details?.upstreamCall?.attempts ?? [];
  // The logger leaves undefined fields out.
  return {
    event: 'stop-completed',
    requestId: context.requestId,
    traceId,
    caller: caller?.name ?? UNKNOWN_CALLER,
    address: caller ? undefined : context.clientAddress,
    ...details?.task,
    stopId: details?.stopId,
    result,
    outcome,
    status,
    coalesced: details?.coalesced,
    attemptCount: attempts.length,
    waitMs: roundToTenth(totalWaitMs(details, endedAt)),
    upstreamMs: roundToTenth(totalMs(attempts)),
    durationMs: roundToTenth(endedAt - context.startedAt),
    upstreamCode: upstream?.code,
    upstreamRequestId: upstream?.requestId,
    reason,
    attempts: attempts.length > 1 ? attempts.map(summarizeAttempt) : undefined,
    clientDisconnected: context.clientDisconnect.aborted || undefined,
  };
}

function totalWaitMs(details: StopDetails | undefined, endedAt: number): number {
  const { queuedAt, upstreamCall } = details ?? {};
  const initialMs = queuedAt === undefined ? 0 : initialWait(queuedAt, upstreamCall, endedAt).durationMs;
  return initialMs + totalMs(upstreamCall?.waits ?? []);
}

function summarizeAttempt({ code, requestId, durationMs }: Attempt): Record<string, unknown> {
  return { code, requestId, ms: roundToTenth(durationMs) };
}

function totalMs(spans: readonly Pick<TimeSpan, 'durationMs'>[]): number {
  return spans.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

function roundToTenth(ms: number): number {
  return Math.round(ms * 10) / 10;
}
