import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { UNKNOWN } from './callers/caller.js';
import { HttpRequests } from './metrics/http-requests.js';
import { Stops } from './metrics/stops.js';

/** Reports requests: every one is measured, and a call to stop a task is counted and logged in one line. */
@Injectable()
export class CallReport {
  constructor(
    private readonly http: HttpRequests,
    private readonly stops: Stops,
    private readonly logger: PinoLogger,
  ) {}

  /** A request has ended: its answer has gone out, or its caller has. */
  ended(request: FastifyRequest, reply: FastifyReply): void {
    const { method, call, routeOptions } = request;
    this.http.observe(method, routeOptions.url, reply.statusCode, reply.elapsedTime / 1000, call.traceId);
  }

  /** It is known what became of a call to stop a task, whether or not its caller is still there. */
  stop(request: FastifyRequest, reply: FastifyReply): void {
    const {
      result = 'internal-error',
      outcome,
      task,
      upstream,
      reason,
      address,
      traceId,
      unlogged,
    } = request.call;
    const caller = request.call.caller?.name ?? UNKNOWN;
    if (result !== 'withdrawn') this.stops.count(caller, result, traceId);
    if (unlogged) return;
    this.logger.info(
      {
        event: 'stop',
        requestId: request.id,
        ...(traceId && { traceId }),
        caller,
        ...(address && { address }),
        ...task,
        result,
        outcome,
        status: reply.statusCode,
        ...(upstream && { upstreamCode: upstream.code, upstreamRequestId: upstream.requestId }),
        ...(reason && { reason }),
        ...(request.call.callerLeft.aborted && { callerLeft: true }),
        durationMs: Math.round(reply.elapsedTime * 10) / 10,
      },
      `stop: ${result}`,
    );
  }
}
