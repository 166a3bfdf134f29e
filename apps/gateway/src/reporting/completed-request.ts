import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestContext } from '../http/request-context.js';

/** A request and its response, for the reporter. */
export interface CompletedRequest {
  readonly context: RequestContext;
  readonly method: string;
  /** The request target, as the client sent it. */
  readonly url: string;
  /** The path of the route, as Fastify registers it; undefined without a route. */
  readonly route: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
  /** The caller's name; undefined without a valid key. */
  readonly caller: string | undefined;
  readonly status: number;
  /** Since the end of the request's headers. */
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
