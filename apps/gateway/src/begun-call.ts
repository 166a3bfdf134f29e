import type { IncomingHttpHeaders } from 'node:http';
import type { CallRecord } from './call-record.js';
import { LazyAbortController } from './lazy-abort-controller.js';
import { traceIdOf } from './tracing/traceparent.js';

/** The record of a call that has just arrived. */
export function begunCall(headers: IncomingHttpHeaders): CallRecord {
  // Fastify's own signal is aborted as soon as a body has been read, be it an empty one.
  const call: CallRecord = { departure: new LazyAbortController() };
  const traceId = traceIdOf(headers['traceparent'] as string | undefined);
  if (traceId !== undefined) call.traceId = traceId;
  return call;
}

/** The headers of every answer. */
export function headersOfEvery(id: string): { 'x-request-id': string; 'x-content-type-options': string } {
  // Nothing is what it looks like, but what it says it is.
  return { 'x-request-id': id, 'x-content-type-options': 'nosniff' };
}
