import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { canonicalAddress } from '../http/client-address.js';
import type { ConnectionTracker } from '../http/connection-tracker.js';
import { ProblemException } from '../problems/problem.exception.js';
import type { ProblemWriter } from '../problems/problem-writer.js';
import type { Reporter } from '../reporting/reporter.js';

/** The error of the event `clientError`: Node.js could not read a request. */
type ClientError = Error & { code?: string };

const TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT';
const HEADER_OVERFLOW = 'HPE_HEADER_OVERFLOW';

/** Errors of the HTTP parser, and the timeout. After any other error, the connection is already closed. */
const REQUEST_ERROR = /^(HPE_[A-Z0-9_]+|ERR_HTTP_REQUEST_TIMEOUT)$/;

/** Rejects and reports malformed HTTP, for which no request exists. */
export class MalformedRequestHandler {
  readonly #rejected = new WeakSet<Socket>();

  constructor(
    private readonly connections: ConnectionTracker,
    private readonly problems: ProblemWriter,
    private readonly reporter: Reporter,
  ) {}

  handle(error: ClientError, socket: Socket): void {
    // The parser fails again for all further bytes of the client.
    if (this.#rejected.has(socket)) return;
    const { code: reason = '' } = error;
    // Bytes after the last request of a connection, which may still be in flight.
    if (reason === 'HPE_CLOSED_CONNECTION') return;
    // The gateway itself does not read the rest of a request that follows those in flight.
    if (reason === TIMEOUT && this.connections.isAtLimit(socket)) return;
    const isIdleConnection = reason === TIMEOUT && socket.bytesRead === 0;
    const request = this.connections.lastRequest(socket);
    if (!REQUEST_ERROR.test(reason) || isIdleConnection) socket.destroy();
    else if (request && !request.complete) failBody(request, reason);
    else this.#reject(reason, socket);
  }

  /** Rejects CONNECT: Node.js no longer parses this connection. */
  rejectConnect(socket: Socket): void {
    socket
      .removeAllListeners('data')
      .on('error', () => {})
      .resume();
    this.#reject('HPE_INVALID_METHOD', socket);
  }

  #reject(reason: string, socket: Socket): void {
    this.#rejected.add(socket);
    const requestId = randomUUID();
    const problem = toProblem(reason);
    const address = canonicalAddress(socket.remoteAddress ?? '');
    this.reporter.requestMalformed(requestId, problem, reason, address);
    // The client would take this response for the response to the request in flight, which may succeed.
    if (this.connections.requestsInFlight(socket) > 0 || !socket.writable) socket.destroy();
    else this.problems.respondToSocket(problem, requestId, socket);
  }
}

function toProblem(reason: string): ProblemException {
  if (reason === TIMEOUT) return new ProblemException('request-timeout');
  if (reason === HEADER_OVERFLOW) return new ProblemException('request-header-fields-too-large');
  const message = 'the request is not valid HTTP/1.1';
  return new ProblemException('invalid-request', { errors: [{ in: 'request', name: '', message }] });
}

/** The request exists and fails itself, unless nothing reads its body, for example after its response. */
function failBody(request: IncomingMessage, reason: string): void {
  if (request.listenerCount('error') > 0) request.emit('error', toProblem(reason));
  else request.socket.destroy();
}
