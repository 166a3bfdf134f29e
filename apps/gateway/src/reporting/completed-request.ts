import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestContext } from '../http/request-context.js';

/** A request with its response, as reports see it. */
export interface CompletedRequest {
  readonly context: RequestContext;
  readonly method: string;
  /** The request target as it was sent. */
  readonly url: string;
  /** The path of the route, as it is registered; undefined when there is none. */
  readonly route: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
  /** The caller's name; undefined when it is unknown. */
  readonly caller: string | undefined;
  readonly status: number;
  /** From the end of the request's headers. */
  readonly durationMs: number;
}

export function fromFastify(request: FastifyRequest, reply: FastifyReply): CompletedRequest {
  const { requestContext, method, url, headers, raw, caller, routeOptions } = request;
  return {
    context: requestContext,
    method,
    url,
    route: routeOptions.url,
    headers,
    httpVersion: raw.httpVersion,
    caller: caller?.name,
    status: reply.statusCode,
    durationMs: performance.now() - requestContext.startedAt,
  };
}
