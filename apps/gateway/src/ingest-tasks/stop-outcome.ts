import type { FastifyReply } from 'fastify';
import { ClientDisconnectedError } from '../http/client-disconnected.error.js';
import { ProblemException } from '../problems/problem.exception.js';
import type { Outcome, ProblemCode } from '../problems/problem-table.js';
import type { CoalescingSource } from './coalescing-metrics.js';
import type { TaskRef } from './stop-coalescer.js';
import type { UpstreamCall } from './upstream-call.js';

/** How a stop proceeded. */
export interface StopDetails {
  readonly task: TaskRef;
  /** When it requested its first slot, in milliseconds of the monotonic clock; undefined when it needed none. */
  readonly queuedAt?: number | undefined;
  /** Where it got its result without an upstream call of its own. */
  readonly coalesced?: CoalescingSource | undefined;
  /** Its own upstream call, or the one that it shared. */
  readonly upstreamCall?: UpstreamCall | undefined;
}

/** The end of a stop: what logs, metrics and spans report. */
export interface StopOutcome {
  readonly result: 'stopped' | 'already-finished' | 'cancelled' | ProblemCode;
  readonly outcome: Outcome | 'stopped';
  /** What the cloud responded; without a code when that is from the cache. */
  readonly upstream?: { readonly code?: string; readonly requestId: string } | undefined;
  /** Why the cloud did not respond, in fixed words. */
  readonly reason?: string | undefined;
  /** Undefined when the request was rejected before it was clear what to stop. */
  readonly details?: StopDetails | undefined;
  readonly suppressLog?: boolean | undefined;
}

/** The outcome when the task is stopped. */
export interface SuccessfulStop extends StopOutcome {
  readonly result: 'stopped' | 'already-finished';
  readonly upstream: { readonly code?: string; readonly requestId: string };
  readonly details: StopDetails;
}

declare module 'fastify' {
  interface FastifyReply {
    /** Set once, by the controller, when the task is stopped. */
    stopOutcome: SuccessfulStop | undefined;
  }
}

/** A stop that ended in a problem. */
export class StopFailedException extends ProblemException {
  constructor(
    { code, details }: ProblemException,
    readonly stop: StopDetails,
  ) {
    super(code, details);
  }
}

/** A stop whose client disconnected before anything was sent. */
export class StopCancelledError extends ClientDisconnectedError {
  override readonly name = 'StopCancelledError';

  constructor(readonly stop: StopDetails) {
    super('the client disconnected');
  }
}

/** The outcome that a response carries: the controller's, or that of the error it was written for. */
export function stopOutcomeOf({ stopOutcome, responseError }: FastifyReply): StopOutcome {
  if (stopOutcome) return stopOutcome;
  if (responseError instanceof ClientDisconnectedError) {
    const details = responseError instanceof StopCancelledError ? responseError.stop : undefined;
    return { result: 'cancelled', outcome: 'not-sent', details };
  }
  if (!responseError) return { result: 'internal-error', outcome: 'unknown' };
  const { code, outcome, details } = responseError;
  return {
    result: code,
    outcome,
    upstream: details.upstream,
    reason: details.reason,
    suppressLog: details.suppressLog,
    details: responseError instanceof StopFailedException ? responseError.stop : undefined,
  };
}
