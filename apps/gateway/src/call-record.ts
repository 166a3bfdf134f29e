import type { FastifyRequest } from 'fastify';
import type { Caller } from './callers/caller.js';
import type { LazyAbortController } from './lazy-abort-controller.js';
import type { UpstreamCall } from './ingest-tasks/upstream-call.js';
import type { How } from './metrics/coalesced.js';
import type { Outcome } from './problems/problem-table.js';

/** What a request has come to so far: filled in on the way, reported once at its end. */
export interface CallRecord {
  /** Aborted when the caller hangs up: before its answer, or after it, which changes nothing. */
  readonly departure: LazyAbortController;
  /** Who calls; undefined until that is proved. */
  caller?: Caller;
  /** Where a call came from whose caller is unknown. */
  address?: string;
  /** The W3C trace that the request belongs to. */
  traceId?: string;
  /** Counted, but not worth a line. */
  unlogged?: boolean;
  /** `stopped`, `already-finished`, a problem code, or `withdrawn` when the caller left in time. */
  result?: string;
  outcome?: Outcome | 'stopped';
  task?: { taskId: string; sdkAppId: number; region: string };
  /** When it asked for its first slot, in milliseconds of the clock that never goes back. */
  askedAt?: number;
  /** How it came by its answer without a call to the cloud of its own. */
  coalesced?: How;
  /** The call to the cloud, its own or the one that it joined. */
  course?: UpstreamCall;
  /** What the cloud said; without a code, what is remembered of it. */
  upstream?: { code?: string; requestId: string };
  /** Why the cloud gave no answer. */
  reason?: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    call: CallRecord;
  }
}

/** The route that stops a task, as it is registered. */
export const STOP_ROUTE = '/ingest-tasks/:id';

export function isStop(request: FastifyRequest): boolean {
  return request.routeOptions.url === STOP_ROUTE;
}
