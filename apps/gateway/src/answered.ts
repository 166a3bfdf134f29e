import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CallRecord } from './call-record.js';

/** A request with its answer, as reports see it: in whatever way it was answered. */
export interface Answered {
  readonly id: string;
  readonly method: string;
  /** The target as it was sent. */
  readonly url: string;
  /** The route that took it, as it is registered. */
  readonly route: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
  readonly call: CallRecord;
  readonly status: number;
  /** From its head on, in milliseconds. */
  readonly elapsedMs: number;
}

/** One that Fastify answers. */
export function answeredBy(request: FastifyRequest, reply: FastifyReply): Answered {
  const { id, method, url, headers, raw, call, routeOptions } = request;
  return {
    id,
    method,
    url,
    route: routeOptions.url,
    headers,
    httpVersion: raw.httpVersion,
    call,
    status: reply.statusCode,
    elapsedMs: reply.elapsedTime,
  };
}
