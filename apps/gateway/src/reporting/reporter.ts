import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { UNKNOWN_CALLER } from '../http/caller-identity.js';
import type { RequestContext } from '../http/request-context.js';
import type { StopOutcome } from '../ingest-tasks/stop-outcome.js';
import type { ProblemException } from '../problems/problem.exception.js';
import type { CompletedRequest } from './completed-request.js';
import { HttpMetrics } from './http-metrics.js';
import { stopLogEntry } from './stop-log-entry.js';
import { StopMetrics } from './stop-metrics.js';
import { Tracing } from './tracing/tracing.js';

/** Measures each request, and counts, logs and traces each stop. */
@Injectable()
export class Reporter {
  /** The trace ids of recorded stops, for the exemplars of HTTP metrics. */
  readonly #traceIds = new WeakMap<RequestContext, string>();

  constructor(
    private readonly http: HttpMetrics,
    private readonly stops: StopMetrics,
    private readonly tracing: Tracing,
    private readonly logger: PinoLogger,
  ) {}

  /** Reports a request whose response was sent or whose client disconnected. */
  requestCompleted({ method, route, status, durationMs, context }: CompletedRequest): void {
    this.http.observe(
      method,
      route,
      status,
      durationMs / 1000,
      this.#traceIds.get(context) ?? context.traceId,
    );
  }

  /**
   * Reports malformed HTTP, for which no request exists.
   *
   * @param reason the error code of the parser
   */
  requestMalformed(
    requestId: string,
    problem: ProblemException,
    reason: string,
    address: string | undefined,
  ): void {
    const status = problem.getStatus();
    this.http.observe(undefined, undefined, status, 0);
    this.logger.info(
      { event: 'request-malformed', requestId, status, code: problem.code, reason, address },
      'rejected malformed HTTP',
    );
  }

  /** Reports a stop with its outcome, also if its client has disconnected. */
  stopCompleted(request: CompletedRequest, outcome: StopOutcome): void {
    const recorded = this.tracing.record(request, outcome);
    if (recorded !== undefined) this.#traceIds.set(request.context, recorded);
    const traceId = recorded ?? request.context.traceId;
    const { result, suppressLog } = outcome;
    if (result !== 'cancelled') this.stops.count(request.caller ?? UNKNOWN_CALLER, result, traceId);
    if (!suppressLog) this.logger.info(stopLogEntry(request, outcome, traceId), `stop: ${result}`);
  }
}
