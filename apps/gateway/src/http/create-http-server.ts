import { createServer, type RequestListener, type Server } from 'node:http';

/** Limits of one connection and of all connections together. */
export const SERVER_LIMITS = {
  /** Open connections. */
  maxConnections: 8192,
  /** Requests in flight on one connection. */
  maxRequestsInFlight: 16,
  /** Pipelined requests that are parsed in one turn of the event loop, of all connections together. */
  maxPipelinedPerTurn: 8,
  /** Responses that clients have not received yet, of all connections together. */
  maxUnsentBytes: 64 * 1024 * 1024,
  /** Bytes that wait for the parser, of all connections together. */
  maxUnreadBytes: 64 * 1024 * 1024,
  /** Request line and headers. */
  maxHeaderBytes: 16 * 1024,
  /** From the start of a request, or of the connection, to the end of its headers. */
  headersTimeoutMs: 10_000,
  /** From the start of a request to the end of its body. */
  requestTimeoutMs: 15_000,
  /** How often these two are checked. */
  checkIntervalMs: 2000,
  /** Without a byte in either direction: also closes clients that stop reading. Longer than the longest call. */
  socketTimeoutMs: 120_000,
};

/**
 * A connection is closed this long after its announced timeout, so that a client that uses it at the last moment does
 * not lose its request.
 */
const KEEP_ALIVE_BUFFER_MS = 5000;

export interface ServerLimits extends Readonly<typeof SERVER_LIMITS> {
  /** Between two requests. Responses announce it in `Keep-Alive`. */
  readonly keepAliveTimeoutMs: number;
}

/** Creates an HTTP server that enforces these limits. */
export function createHttpServer(limits: ServerLimits, listener: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      keepAliveTimeoutBuffer: KEEP_ALIVE_BUFFER_MS,
      connectionsCheckingInterval: limits.checkIntervalMs,
      // Node.js would write the response itself, without a problem document.
      requireHostHeader: false,
    },
    listener,
  );
  // Only 100-continue is supported; other expectations are ignored.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  // A client that closes its side of the connection after its requests still receives the responses.
  Object.assign(server, { httpAllowHalfOpen: true });
  return server.setTimeout(limits.socketTimeoutMs);
}
