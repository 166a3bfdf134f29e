import type { FastifyRequest } from 'fastify';
import { LazyAbortController } from './lazy-abort-controller.js';
import { parseTraceparent } from './traceparent.js';

/** What is known of a request when it arrives. */
export interface RequestContext {
  /** The `X-Request-Id`. */
  readonly requestId: string;
  /** The W3C trace that the request belongs to. */
  readonly traceId: string | undefined;
  /** Where the request comes from; undefined when the connection is gone already. */
  readonly clientAddress: string | undefined;
  /** Milliseconds of the monotonic clock. */
  readonly startedAt: number;
  /** Aborted when the connection closes: before the response, or after it, which changes nothing. */
  readonly clientDisconnect: LazyAbortController;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once, by the first onRequest hook. */
    requestContext: RequestContext;
  }
}

export function createRequestContext(request: FastifyRequest): RequestContext {
  return {
    requestId: request.id,
    traceId: parseTraceparent(request.headers['traceparent'] as string | undefined)?.traceId,
    clientAddress: request.ip,
    startedAt: performance.now(),
    // Fastify's own signal is aborted as soon as a body has been read, even an empty one.
    clientDisconnect: new LazyAbortController(),
  };
}
