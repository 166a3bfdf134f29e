import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { addressPrefix } from '../auth/failed-auth-throttle.js';
import { UNKNOWN_CALLER } from '../http/caller-identity.js';
import { CLIENT_CLOSED_REQUEST } from '../http/client-disconnected.error.js';
import type { RequestContext } from '../http/request-context.js';
import { RouteTable } from '../http/route-table.js';
import type { StopOutcome } from '../ingest-tasks/stop-outcome.js';
import type { ProblemException } from '../problems/problem.exception.js';
import { systemClock } from '../time/system-clock.js';
import { HttpMetrics } from './http-metrics.js';
import { LogSampler, type LogSource } from './log-sampler.js';
import { stopLogEntry } from './stop-log-entry.js';
import { StopMetrics } from './stop-metrics.js';
import { Tracing } from './tracing/tracing.js';

/**
 * Measures each request, and counts, logs and traces each stop. Requests that nothing was sent for, which a client can
 * send in any number, are logged and traced up to a rate.
 */
@Injectable()
export class Reporter implements OnApplicationShutdown {
  readonly #sampler = new LogSampler(systemClock.setTimer, (source, count) =>
    this.logger.info(
      { event: 'requests-sampled', ...source, count },
      'rejected requests without an entry of their own',
    ),
  );
  /** The trace ids of recorded stops, for the exemplars of HTTP metrics. */
  readonly #traceIds = new WeakMap<RequestContext, string>();

  constructor(
    private readonly routes: RouteTable,
    private readonly http: HttpMetrics,
    private readonly stops: StopMetrics,
    private readonly tracing: Tracing,
    private readonly logger: PinoLogger,
  ) {}

  onApplicationShutdown(): void {
    this.#sampler.report();
  }

  /** Reports a request whose response was sent or whose client disconnected. */
  requestCompleted(request: FastifyRequest, reply: FastifyReply): void {
    const { method, requestContext } = request;
    const status = reply.raw.headersSent ? reply.statusCode : CLIENT_CLOSED_REQUEST;
    const seconds = (performance.now() - requestContext.startedAt) / 1000;
    const traceId = this.#traceIds.get(requestContext) ?? requestContext.traceId;
    this.http.observe(method, this.routes.routeOf(request)?.path, status, seconds, traceId);
  }

  /** Reports malformed HTTP, for which no request exists, with the error code of the parser. */
  requestMalformed(
    requestId: string,
    problem: ProblemException,
    reason: string,
    address: string | undefined,
  ): void {
    const status = problem.getStatus();
    this.http.observe(undefined, undefined, status, 0);
    if (this.#sampler.admit(sourceOf(undefined, address)))
      this.logger.info(
        { event: 'request-malformed', requestId, status, code: problem.code, reason, address },
        'rejected malformed HTTP',
      );
  }

  /**
   * Reports a stop with its outcome, also if its client has disconnected.
   *
   * @param endedAt when its response was ready, in milliseconds of the monotonic clock
   */
  stopCompleted(request: FastifyRequest, reply: FastifyReply, outcome: StopOutcome, endedAt: number): void {
    const { caller, requestContext: context } = request;
    const { result } = outcome;
    const isLogged =
      outcome.outcome !== 'not-sent' || this.#sampler.admit(sourceOf(caller?.name, context.clientAddress));
    const recorded = isLogged ? this.tracing.record(request, reply, outcome, endedAt) : undefined;
    if (recorded !== undefined) this.#traceIds.set(context, recorded);
    const traceId = recorded ?? context.traceId;
    if (result !== 'cancelled') this.stops.count(caller?.name ?? UNKNOWN_CALLER, result, traceId);
    if (isLogged)
      this.logger.info(stopLogEntry(request, reply, outcome, endedAt, traceId), `stop: ${result}`);
  }
}

function sourceOf(caller: string | undefined, address: string | undefined): LogSource {
  return caller === undefined ? { address: address && addressPrefix(address) } : { caller };
}
