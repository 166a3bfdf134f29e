import { createServer, type RequestListener, type Server } from 'node:http';
import type { ConnectionLimits } from './connection-limits.js';

/** A server that keeps these limits, and leaves to others what is none of its business. */
export function listener(limits: ConnectionLimits, answer: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.headBytes,
      headersTimeout: limits.headMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: limits.lookEveryMs,
      // Node would answer by itself, and not with a problem.
      requireHostHeader: false,
    },
    answer,
  );
  return server.setTimeout(limits.stalledMs);
}
