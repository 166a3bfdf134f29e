import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { isStop } from './call-record.js';
import { HttpRequests } from './metrics/http-requests.js';
import { Stops } from './metrics/stops.js';

const CALLER = 'anonymous';

/** Reports every request at its end: measured, and for a call to stop a task counted and logged in one line. */
@Injectable()
export class CallReport {
  constructor(
    private readonly http: HttpRequests,
    private readonly stops: Stops,
    private readonly logger: PinoLogger,
  ) {}

  report(request: FastifyRequest, reply: FastifyReply): void {
    this.http.observe(request.method, request.routeOptions.url, reply.statusCode, reply.elapsedTime / 1000);
    if (!isStop(request)) return;
    const { result = 'internal-error', outcome, task, upstream, reason } = request.call;
    this.stops.count(CALLER, result);
    this.logger.info(
      {
        event: 'stop',
        requestId: request.id,
        caller: CALLER,
        ...task,
        result,
        outcome,
        status: reply.statusCode,
        ...(upstream && { upstreamCode: upstream.code, upstreamRequestId: upstream.requestId }),
        ...(reason && { reason }),
        durationMs: Math.round(reply.elapsedTime * 10) / 10,
      },
      `stop: ${result}`,
    );
  }
}
