import { randomUUID } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { headersOfEvery } from '../begun-call.js';
import { HttpRequests } from '../metrics/http-requests.js';
import { Problem } from '../problems/problem.js';
import { Connections } from './connections.js';

/** The error of a connection on which Node.js could not read a request. */
type ClientError = Error & { code?: string };

const TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT';
const HEADER_OVERFLOW = 'HPE_HEADER_OVERFLOW';

/** Errors of the HTTP parser, and the timeout. All others are errors of the connection, which is gone then. */
const REQUEST_ERROR = /^(HPE_[A-Z0-9_]+|ERR_HTTP_REQUEST_TIMEOUT)$/;

/** How long a client may take to read the response before the connection is destroyed, in milliseconds. */
const LINGER_MS = 1000;

/** Rejects, counts and logs malformed HTTP, for which no request exists. */
@Injectable()
export class MalformedRequests {
  readonly #rejected = new WeakSet<Socket>();

  constructor(
    private readonly connections: Connections,
    private readonly http: HttpRequests,
    private readonly logger: PinoLogger,
  ) {}

  /** Handles the event `clientError` of the server. */
  reject(error: ClientError, socket: Socket): void {
    // The parser fails again at everything that the client sends on.
    if (this.#rejected.has(socket)) return;
    const { code: reason = '' } = error;
    const isSilent = reason === TIMEOUT && socket.bytesRead === 0;
    const request = this.connections.lastRequestOn(socket);
    if (!REQUEST_ERROR.test(reason) || isSilent) socket.destroy();
    else if (request && !request.complete) failBody(request, reason);
    else this.#reject(reason, socket);
  }

  #reject(reason: string, socket: Socket): void {
    this.#rejected.add(socket);
    const requestId = randomUUID();
    const problem = problemOf(reason);
    const { status, code } = problem;
    const { remoteAddress: address } = socket;
    this.http.observe('', undefined, status, 0, undefined);
    this.logger.info(
      { event: 'request-malformed', requestId, status, code, reason, address },
      'rejected malformed HTTP',
    );
    // A response would be taken for the response of the request that is in flight, which may succeed.
    if (this.connections.inFlightOn(socket) > 0 || !socket.writable) socket.destroy();
    else respond(problem, requestId, socket);
  }
}

function problemOf(reason: string): Problem {
  if (reason === TIMEOUT) return new Problem('request-timeout');
  if (reason === HEADER_OVERFLOW) return new Problem('request-header-fields-too-large');
  const message = 'the request is not valid HTTP/1.1';
  return new Problem('invalid-request', { errors: [{ in: 'request', name: '', message }] });
}

/** The request exists, so it fails as itself; unless nothing waits for its body, for example after its response. */
function failBody(request: IncomingMessage, reason: string): void {
  const { status: statusCode } = problemOf(reason);
  const error = Object.assign(new Error('the body cannot be read'), { code: reason, statusCode });
  if (request.listenerCount('error') > 0) request.emit('error', error);
  else request.socket.destroy();
}

function respond(problem: Problem, requestId: string, socket: Socket): void {
  const body = problem.body(requestId);
  const headers = {
    date: new Date().toUTCString(),
    ...headersOfEvery(requestId),
    ...problem.headers(),
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${head.join('')}\r\n${body}`);
  // Destroyed at once, a connection with unread bytes is reset, and the client loses the response.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
