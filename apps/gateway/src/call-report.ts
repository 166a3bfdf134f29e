import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { UNKNOWN } from './callers/caller.js';
import { stopLine } from './logging/stop-line.js';
import { HttpRequests } from './metrics/http-requests.js';
import { Stops } from './metrics/stops.js';
import { Tracing } from './tracing/tracing.js';

/** Reports requests: every one is measured, and a call to stop a task is counted and logged in one line. */
@Injectable()
export class CallReport {
  constructor(
    private readonly http: HttpRequests,
    private readonly stops: Stops,
    private readonly tracing: Tracing,
    private readonly logger: PinoLogger,
  ) {}

  /** A request has ended: its answer has gone out, or its caller has. */
  ended(request: FastifyRequest, reply: FastifyReply): void {
    const { method, call, routeOptions } = request;
    this.http.observe(method, routeOptions.url, reply.statusCode, reply.elapsedTime / 1000, call.traceId);
  }

  /** It is known what became of a call to stop a task, whether or not its caller is still there. */
  stop(request: FastifyRequest, reply: FastifyReply): void {
    // First, because what is reported carries the trace's id.
    this.tracing.record(request, reply);
    const { caller, result = 'internal-error', traceId, unlogged } = request.call;
    if (result !== 'withdrawn') this.stops.count(caller?.name ?? UNKNOWN, result, traceId);
    if (!unlogged) this.logger.info(stopLine(request, reply), `stop: ${result}`);
  }
}
