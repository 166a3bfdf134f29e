import { createServer, type RequestListener, type Server } from 'node:http';
import type { ServerLimits } from './server-limits.js';

/** Creates an HTTP server that enforces these limits. */
export function createHttpServer(limits: ServerLimits, listener: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      // Node.js would write the response itself, without a problem document.
      requireHostHeader: false,
    },
    listener,
  );
  // Only 100-continue is supported; other expectations are ignored.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  return server.setTimeout(limits.socketTimeoutMs);
}
