import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { BlockList } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { canonicalAddress, clientAddressBehind } from './client-address.js';
import { LazyAbortController } from './lazy-abort-controller.js';
import { type ParentSpan, parseTraceparent } from './traceparent.js';

/** Valid request ids of clients: the log shows them unchanged. */
export const REQUEST_ID = /^[!-~]{1,128}$/;

/** The immutable facts about a request, known when it arrives. */
export interface RequestContext {
  /** The `X-Request-Id`. */
  readonly requestId: string;
  /** The W3C trace that the request belongs to. */
  readonly traceId: string | undefined;
  /** The span of the client that the request was sent from. */
  readonly parentSpan: ParentSpan | undefined;
  /** The client's IP address; undefined when the connection is already closed. */
  readonly clientAddress: string | undefined;
  /** Milliseconds of the monotonic clock. */
  readonly startedAt: number;
  /** Aborted when the response ends or the connection closes. After the response, this has no effect. */
  readonly clientDisconnect: LazyAbortController;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once, by the first onRequest hook. */
    requestContext: RequestContext;
  }
}

/** @param proxies trusted to name the client's address */
export function createRequestContext(
  request: FastifyRequest,
  proxies: BlockList | undefined,
): RequestContext {
  const { ip } = request;
  const parentSpan = parseTraceparent(request.headers['traceparent'] as string | undefined);
  return {
    requestId: request.id,
    traceId: parentSpan?.traceId,
    parentSpan,
    // Not Fastify's trustProxy, which believes X-Forwarded-Host and X-Forwarded-Proto as well, but not Forwarded.
    clientAddress:
      proxies && ip ? clientAddressBehind(proxies, ip, request.headers) : canonicalAddress(ip ?? ''),
    startedAt: performance.now(),
    // Fastify aborts its own signal as soon as a body has been read, even an empty one.
    clientDisconnect: new LazyAbortController(),
  };
}

/** Returns the client's request id if it is valid, otherwise a new one. */
export function getRequestId(headers: IncomingHttpHeaders): string {
  const header = headers['x-request-id'];
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID();
}

/** The headers of every response. */
export function commonHeaders(requestId: string) {
  // Disable MIME sniffing.
  return { 'x-request-id': requestId, 'x-content-type-options': 'nosniff' };
}
