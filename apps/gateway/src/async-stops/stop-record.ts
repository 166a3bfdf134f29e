import { STOP_STREAM_INGEST_REGIONS } from '#libs/tencent-cloud';
import {
  ASYNC_STOP_STATUSES,
  type AsyncStop,
  type AsyncStopFailure,
  type AsyncStopStatus,
} from '../ingest-tasks/stop-backlog.js';
import { TASK_ID } from '../ingest-tasks/stop-request.js';
import { PROBLEM_CODES, type ProblemCode } from '../problems/problem-table.js';

/** What is stored about a stop until it finishes. */
export interface PendingRecord {
  readonly taskId: string;
  readonly sdkAppId: number;
  readonly region: string;
  readonly isSdkAppIdFromCaller: boolean;
  /** The wall clock, for display. */
  readonly createdAt: string;
  /** Milliseconds of the backlog clock. */
  readonly acceptedAtMs: number;
  /** Calls of the cloud that ended. */
  readonly attempts: number;
  /** How many of the executions that started are known to have had no effect. */
  readonly ineffectiveStarts: number;
  /** The span of the client that submitted it. */
  readonly traceparent?: string | undefined;
}

/** What is stored about the end of a stop. */
export interface FinishedRecord {
  readonly status: Exclude<AsyncStopStatus, 'pending'>;
  readonly requestId?: string | undefined;
  readonly failure?: AsyncStopFailure | undefined;
  readonly attempts: number;
  /** The wall clock, for display. */
  readonly finishedAt: string;
  /** Milliseconds of the backlog clock. */
  readonly finishedAtMs: number;
}

/** A record is at most a task id and a few short values. Longer text is not one of ours. */
const MAX_LENGTH = 8192;

/** @returns undefined for text that is not a valid record: another program may have written it */
export function parsePendingRecord(text: string): PendingRecord | undefined {
  const record = parseObject(text);
  const { taskId, sdkAppId, region, isSdkAppIdFromCaller, createdAt } = record;
  const { acceptedAtMs, attempts, ineffectiveStarts, traceparent } = record;
  const isValid =
    typeof taskId === 'string' &&
    TASK_ID.test(taskId) &&
    isCount(sdkAppId) &&
    STOP_STREAM_INGEST_REGIONS.some((one) => one === region) &&
    typeof isSdkAppIdFromCaller === 'boolean' &&
    isTimestamp(createdAt) &&
    isFiniteNumber(acceptedAtMs) &&
    isCount(attempts) &&
    isCount(ineffectiveStarts) &&
    (traceparent === undefined || typeof traceparent === 'string');
  return isValid ? (record as unknown as PendingRecord) : undefined;
}

/** @returns undefined for text that is not a valid record */
export function parseFinishedRecord(text: string): FinishedRecord | undefined {
  const record = parseObject(text);
  const { status, requestId, failure, attempts, finishedAt, finishedAtMs } = record;
  const isValid =
    status !== 'pending' &&
    ASYNC_STOP_STATUSES.some((one) => one === status) &&
    (requestId === undefined || typeof requestId === 'string') &&
    (failure === undefined || isFailure(failure)) &&
    (status === 'failed') === (failure !== undefined) &&
    isCount(attempts) &&
    isTimestamp(finishedAt) &&
    isFiniteNumber(finishedAtMs);
  return isValid ? (record as unknown as FinishedRecord) : undefined;
}

/** @param finished undefined while the stop is pending */
export function toAsyncStop(
  id: string,
  { taskId, sdkAppId, region, createdAt, attempts }: PendingRecord,
  finished?: FinishedRecord,
): AsyncStop {
  const task = { id, taskId, sdkAppId, region, createdAt };
  if (!finished) return { ...task, status: 'pending', attempts };
  const { status, requestId, failure, finishedAt } = finished;
  return { ...task, status, requestId, failure, attempts: finished.attempts, finishedAt };
}

function parseObject(text: string): Record<string, unknown> {
  if (text.length > MAX_LENGTH) return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isFailure(value: unknown): value is AsyncStopFailure {
  if (typeof value !== 'object' || value === null) return false;
  const { code, upstream, isOutcomeUnknown } = value as Partial<AsyncStopFailure>;
  return (
    PROBLEM_CODES.includes(code as ProblemCode) &&
    typeof isOutcomeUnknown === 'boolean' &&
    (upstream === undefined || (typeof upstream.code === 'string' && typeof upstream.requestId === 'string'))
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isTimestamp(value: unknown): value is string {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
}
