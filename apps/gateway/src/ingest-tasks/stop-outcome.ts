import type { FastifyReply } from 'fastify';
import { ClientDisconnectedError } from '../http/client-disconnected.error.js';
import { ProblemException } from '../problems/problem.exception.js';
import type { Outcome, ProblemCode } from '../problems/problem-table.js';
import type { CoalescingSource } from './coalescing-metrics.js';
import type { AsyncStop } from './stop-backlog.js';
import type { TaskRef } from './stop-coalescer.js';
import type { UpstreamCall } from './upstream-call.js';

/** The task, the wait and the upstream call of a stop. */
export interface StopDetails {
  readonly task: TaskRef;
  /** When it requested its first slot, in milliseconds of the monotonic clock; undefined if it needed no slot. */
  readonly queuedAt?: number | undefined;
  /** The source of its result, if it needed no upstream call of its own. */
  readonly coalesced?: CoalescingSource | undefined;
  /** Its own upstream call, or the one that it shared. */
  readonly upstreamCall?: UpstreamCall | undefined;
  /** The id of the asynchronous stop that was stored for it. */
  readonly stopId?: string | undefined;
}

/** The result of a stop, for logs, metrics and spans. */
export interface StopOutcome {
  readonly result: 'stopped' | 'already-finished' | 'accepted' | 'cancelled' | ProblemCode;
  readonly outcome: Outcome | 'stopped' | 'pending';
  /** The cloud's response; without a code if it is from the cache. */
  readonly upstream?: { readonly code?: string | undefined; readonly requestId: string } | undefined;
  /** Why there is no usable response of the cloud; never free text. */
  readonly reason?: string | undefined;
  /** undefined if the request was rejected before its task was known. */
  readonly details?: StopDetails | undefined;
}

/** The outcome of a stop that was stored and is executed later. */
export interface AcceptedStop extends StopOutcome {
  readonly result: 'accepted';
  readonly stop: AsyncStop;
}

/** The outcome of a successful stop. */
export interface SuccessfulStop extends StopOutcome {
  readonly result: 'stopped' | 'already-finished';
  readonly upstream: NonNullable<StopOutcome['upstream']>;
  readonly details: StopDetails;
}

declare module 'fastify' {
  interface FastifyReply {
    /** Set once, by the controller, after a successful or an accepted stop. */
    stopOutcome: SuccessfulStop | AcceptedStop | undefined;
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

/** Returns the outcome of the stop that a response belongs to. */
export function stopOutcomeOf({ stopOutcome, responseError }: FastifyReply): StopOutcome {
  if (stopOutcome) return stopOutcome;
  if (responseError instanceof ClientDisconnectedError) {
    const details = responseError instanceof StopCancelledError ? responseError.stop : undefined;
    return { result: 'cancelled', outcome: 'not-sent', details };
  }
  return responseError ? outcomeOfProblem(responseError) : { result: 'internal-error', outcome: 'unknown' };
}

/** Returns the outcome of a stop that ended in a problem. */
export function outcomeOfProblem(problem: ProblemException): StopOutcome {
  const { code, outcome } = problem;
  const { upstream, reason } = problem.details;
  const details = problem instanceof StopFailedException ? problem.stop : undefined;
  return { result: code, outcome, upstream, reason, details };
}
