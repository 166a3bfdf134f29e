import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { PinoLogger } from 'nestjs-pino';
import { CLIENT_CLOSED_REQUEST, ClientDisconnectedError } from '../http/client-disconnected.error.js';
import { commonHeaders } from '../http/request-context.js';
import type { ValidationError } from '../http/route-config.js';
import { RouteTable } from '../http/route-table.js';
import { describeError } from '../logging/describe-error.js';
import { ProblemException } from './problem.exception.js';

declare module 'fastify' {
  interface FastifyReply {
    /** The error that the response reports. Set once, by the problem writer. */
    responseError: ProblemException | ClientDisconnectedError | undefined;
  }
}

/** After malformed HTTP, the client has this long to read the response before the connection is destroyed. */
const LINGER_MS = 1000;

/** Writes every error response: it turns the error that ended a request into a problem document. */
@Catch()
@Injectable()
export class ProblemWriter implements ExceptionFilter {
  constructor(
    private readonly routes: RouteTable,
    private readonly logger: PinoLogger,
  ) {}

  /** Turns every exception of a handler into a response. */
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.respond(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Writes the response to a request that ended with this error. */
  respond(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    if (error instanceof ClientDisconnectedError) {
      reply.responseError = error;
      void reply.code(CLIENT_CLOSED_REQUEST).send();
      return;
    }
    const problem = this.#toProblem(error, request);
    const { cause } = problem.details;
    if (cause !== undefined)
      this.logger.error(
        { event: 'unhandled-exception', requestId: request.id, ...describeError(cause) },
        'unhandled exception',
      );
    reply.responseError = problem;
    // Without a serializer, Fastify adds a charset, which application/problem+json does not have. Node.js writes text,
    // but not bytes, in one piece with the headers.
    void reply
      .code(problem.getStatus())
      .headers(problem.headers())
      .serializer(String)
      .send(problem.body(request.id));
  }

  /** Responds to malformed HTTP, for which no request exists, and closes the connection. */
  respondToSocket(problem: ProblemException, requestId: string, socket: Socket): void {
    const body = problem.body(requestId);
    const headers = {
      date: new Date().toUTCString(),
      ...commonHeaders(requestId),
      ...problem.headers(),
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const status = problem.getStatus();
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
    // If a connection with unread bytes is destroyed immediately, it is reset, and the client loses the response.
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }

  #toProblem(error: unknown, request: FastifyRequest): ProblemException {
    if (error instanceof ProblemException) return error;
    const status = statusOf(error);
    if (status === 404) return this.#notFound(request);
    if (status === 413) return new ProblemException('content-too-large');
    if (status !== undefined && status < 500)
      return new ProblemException('invalid-request', { errors: [frameworkError(error)] });
    return new ProblemException('internal-error', { cause: error });
  }

  #notFound(request: FastifyRequest): ProblemException {
    const url = request.raw.url ?? '/';
    const allow = this.routes.allowedMethods(url);
    if (allow.length === 0) return new ProblemException('route-not-found');
    if (!allow.includes(request.method)) return new ProblemException('method-not-allowed', { allow });
    // The router does not match an empty parameter, but the route table does.
    const errors = this.routes.match(url)?.config.validate?.(request);
    return errors
      ? new ProblemException('invalid-request', { errors })
      : new ProblemException('route-not-found');
  }
}

/** Exceptions of Nest and errors of Fastify both carry the status that the framework would respond with. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' ? statusCode : undefined;
}

/** Requests that the framework rejects before a handler receives them. */
const FRAMEWORK_ERRORS: Record<string, ValidationError> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { in: 'body', name: '', message: 'must be empty' },
};

function frameworkError(error: unknown): ValidationError {
  const { code } = (error instanceof HttpException ? error.cause : error) as { code?: string };
  return FRAMEWORK_ERRORS[code ?? ''] ?? { in: 'request', name: '', message: 'is malformed' };
}
