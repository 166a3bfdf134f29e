import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { STOP_ROUTE } from '../call-record.js';
import { stopFaults } from '../ingest-tasks/stop-request.js';
import { describeError } from '../logging/describe-error.js';
import { Routes } from '../routes.js';
import { CallerLeft, CLIENT_CLOSED_REQUEST } from './caller-left.js';
import { type Fault, Problem } from './problem.js';

/** Turns whatever a request ended in into the answer of the problem table. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly routes: Routes,
    private readonly logger: PinoLogger,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    if (error instanceof CallerLeft) {
      request.call.result = 'withdrawn';
      request.call.outcome = 'not-sent';
      void reply.code(CLIENT_CLOSED_REQUEST).send();
      return;
    }
    const problem = this.#problemOf(error, request);
    const { upstream, reason } = problem.details;
    request.call.result = problem.code;
    request.call.outcome = problem.outcome;
    if (upstream) request.call.upstream = upstream;
    if (reason) request.call.reason = reason;
    // With a serializer Fastify leaves the type as it is; else it adds a charset, which application/problem+json has
    // not. Text rather than bytes, because Node writes it in one piece with the head.
    void reply
      .code(problem.status)
      .headers(problem.headers())
      .serializer(asItIs)
      .send(problem.body(request.id));
  }

  #problemOf(error: unknown, request: FastifyRequest): Problem {
    if (error instanceof Problem) return error;
    const status = statusOf(error);
    if (status === 404) return this.#notFound(request);
    if (status === 408) return new Problem('request-timeout');
    if (status === 413) return new Problem('content-too-large');
    if (status !== undefined && status < 500)
      return new Problem('invalid-request', { errors: [faultOf(error)] });
    this.logger.error(
      { event: 'fault', requestId: request.id, ...describeError(error) },
      'a fault of the gateway',
    );
    return new Problem('internal-error');
  }

  #notFound(request: FastifyRequest): Problem {
    const allow = this.routes.methodsOf(request.raw.url ?? '/');
    if (allow.length === 0) return new Problem('route-not-found');
    if (!allow.includes(request.method)) return new Problem('method-not-allowed', { allow });
    // The router matches no empty parameter, but its path is a route's all the same.
    return this.routes.routeOf(request.raw.url ?? '/') === STOP_ROUTE
      ? new Problem('invalid-request', { errors: stopFaults(request) })
      : new Problem('route-not-found');
  }
}

function asItIs(body: string): string {
  return body;
}

/** Nest's exceptions and Fastify's errors both carry the status that the framework would have answered. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' ? statusCode : undefined;
}

/** What the framework refuses before any handler sees it. */
const FRAMEWORK_FAULTS: Record<string, Fault> = {
  FST_ERR_BAD_URL: { in: 'path', name: '', message: 'is not percent-encoded UTF-8' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { in: 'body', name: '', message: 'must be empty' },
};

function faultOf(error: unknown): Fault {
  const { code } = (error instanceof HttpException ? error.cause : error) as { code?: string };
  return FRAMEWORK_FAULTS[code ?? ''] ?? { in: 'request', name: '', message: 'is malformed' };
}
