import { createServer, type RequestListener, type Server } from 'node:http';
import type { ServerLimits } from './server-limits.js';

/** An HTTP server that enforces these limits. */
export function createHttpServer(limits: ServerLimits, listener: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      // Node.js would respond by itself, without a problem document.
      requireHostHeader: false,
    },
    listener,
  );
  // No expectation but 100-continue can be met; the response is the same as without the header.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  return server.setTimeout(limits.socketTimeoutMs);
}
