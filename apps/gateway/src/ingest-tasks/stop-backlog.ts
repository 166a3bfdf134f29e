import type { ParentSpan } from '../http/traceparent.js';
import type { TaskRef } from './stop-coalescer.js';
import type { ProblemCode } from '../problems/problem-table.js';

/** The states of an asynchronous stop. All but `pending` are final. */
export const ASYNC_STOP_STATUSES = ['pending', 'stopped', 'already-finished', 'failed', 'expired'] as const;

export type AsyncStopStatus = (typeof ASYNC_STOP_STATUSES)[number];

/** Why an asynchronous stop failed. */
export interface AsyncStopFailure {
  readonly code: ProblemCode;
  /** The cloud's error. */
  readonly upstream?: { readonly code: string; readonly requestId: string } | undefined;
  /** Whether an earlier attempt, of which no response arrived, may have stopped the task. */
  readonly isOutcomeUnknown: boolean;
}

/** A stop that was stored before its response, and that the gateway executes later. */
export interface AsyncStop extends TaskRef {
  readonly id: string;
  readonly status: AsyncStopStatus;
  /** Tencent's RequestId, if the status is `stopped` or `already-finished`. */
  readonly requestId?: string | undefined;
  /** Only if the status is `failed`. */
  readonly failure?: AsyncStopFailure | undefined;
  /** How many times the cloud was called, as far as it is known. */
  readonly attempts: number;
  /** The wall clock in ISO 8601. */
  readonly createdAt: string;
  readonly finishedAt?: string | undefined;
}

/** A request to store a stop. */
export interface AsyncStopRequest {
  readonly task: TaskRef;
  /** Whether the SdkAppId is from the request, so that the caller can fix its rejection. */
  readonly isSdkAppIdFromCaller: boolean;
  /** How long the response may wait for the result, in milliseconds. */
  readonly waitMs: number;
  /** Ends the wait. */
  readonly signal: () => AbortSignal;
  /** The span of the client, for the traces of the attempts. */
  readonly parentSpan: ParentSpan | undefined;
}

/** Stores stops and executes them later. The module above this one implements it. */
export abstract class StopBacklog {
  /**
   * Stores a stop. A stop of the same caller and task that is pending is returned instead of a new one.
   *
   * @returns the stop, still pending or already finished; undefined if storing it failed. If the storage did not respond
   *   in time, the stop may have been stored nevertheless, and is then executed later as well.
   * @throws ProblemException `backlog-full`
   */
  abstract submit(caller: string, request: AsyncStopRequest): Promise<AsyncStop | undefined>;
}
