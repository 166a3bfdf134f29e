import { createServer, type RequestListener, type Server } from 'node:http';

/** Limits of one connection and of all connections together. */
export interface ServerLimits {
  /** Open connections. */
  readonly maxConnections: number;
  /** Request line and headers. */
  readonly maxHeaderBytes: number;
  /** From the start of a request, or of the connection, to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** From the start of a request to the end of its body. */
  readonly requestTimeoutMs: number;
  /** How often these two are checked. */
  readonly checkIntervalMs: number;
  /** Between two requests. Longer than load balancers keep idle connections, so that the load balancer closes them first. */
  readonly keepAliveTimeoutMs: number;
  /** Without a byte in either direction: also closes clients that stop reading. Longer than the longest call. */
  readonly socketTimeoutMs: number;
}

export const SERVER_LIMITS: ServerLimits = {
  maxConnections: 8192,
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 15_000,
  checkIntervalMs: 2000,
  keepAliveTimeoutMs: 72_000,
  socketTimeoutMs: 120_000,
};

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
