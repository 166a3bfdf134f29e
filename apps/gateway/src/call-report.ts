import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type { Answered } from './answered.js';
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
  ended({ method, route, status, elapsedMs, call }: Answered): void {
    this.http.observe(method, route, status, elapsedMs / 1000, call.traceId);
  }

  /** It is known what became of a call to stop a task, whether or not its caller is still there. */
  stop(answered: Answered): void {
    // First, because what is reported carries the trace's id.
    this.tracing.record(answered);
    const { caller, result = 'internal-error', traceId, unlogged } = answered.call;
    if (result !== 'withdrawn') this.stops.count(caller?.name ?? UNKNOWN, result, traceId);
    if (!unlogged) this.logger.info(stopLine(answered), `stop: ${result}`);
  }
}
