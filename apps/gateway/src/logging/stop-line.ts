import type { Attempt } from '#libs/tencent-cloud';
import type { Answered } from '../answered.js';
import type { CallRecord } from '../call-record.js';
import { UNKNOWN } from '../callers/caller.js';
import { firstWait, type Stretch } from '../ingest-tasks/upstream-call.js';
import { systemClock } from '../system-clock.js';

/** What the log says of a call to stop a task when it has ended; docs/logs.md explains each field. */
export function stopLine({ id, call, status, elapsedMs }: Answered): Record<string, unknown> {
  const { traceId, caller, address, task, result = 'internal-error', outcome, coalesced, course } = call;
  const attempts = course?.attempts ?? [];
  const line: Record<string, unknown> = { event: 'stop', requestId: id };
  if (traceId !== undefined) line['traceId'] = traceId;
  line['caller'] = caller?.name ?? UNKNOWN;
  if (address !== undefined) line['address'] = address;
  Object.assign(line, task, { result, outcome, status });
  if (coalesced) line['coalesced'] = coalesced;
  line['attempts'] = attempts.length;
  line['waitMs'] = tenths(waitMs(call));
  line['upstreamMs'] = tenths(total(attempts));
  line['durationMs'] = tenths(elapsedMs);
  if (call.upstream?.code !== undefined) line['upstreamCode'] = call.upstream.code;
  if (call.upstream) line['upstreamRequestId'] = call.upstream.requestId;
  if (call.reason !== undefined) line['reason'] = call.reason;
  if (attempts.length > 1) line['course'] = attempts.map(inShort);
  if (call.departure.aborted) line['callerLeft'] = true;
  return line;
}

function waitMs({ askedAt, course }: CallRecord): number {
  const first = askedAt === undefined ? 0 : firstWait(askedAt, course, systemClock.now()).durationMs;
  return first + (course ? total(course.waits) : 0);
}

function inShort({ code, requestId, durationMs }: Attempt): Record<string, unknown> {
  return { code, ...(requestId !== undefined && { requestId }), ms: tenths(durationMs) };
}

function total(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, { durationMs }) => sum + durationMs, 0);
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
