import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';
import { CLIENT_DISCONNECTED } from './client-disconnected.error.js';
import type { ServerLimits } from './create-http-server.js';
import { LimitedSum } from './limited-sum.js';
import { PacedQueue } from './paced-queue.js';
import { parseGradually } from './parse-gradually.js';
import type { RequestContext } from './request-context.js';

// On the socket, because a WeakMap of sockets cost 13 µs per rejected call.
const IN_FLIGHT = Symbol('requests in flight');
const LAST_REQUEST = Symbol('last request');
const OWNER = Symbol('owner');
const PARSE_MORE = Symbol('parse more');
const BYTES = Symbol('bytes');

type Connection = Socket & {
  [IN_FLIGHT]?: Set<RequestContext>;
  [LAST_REQUEST]?: IncomingMessage;
  /** The caller whose valid key was sent last. */
  [OWNER]?: string | undefined;
  [PARSE_MORE]?: () => void;
};

/** The memory of a response that is not sent yet. */
type CountedResponse = ServerResponse & { [BYTES]?: number };

/** The memory of a request and of its response without the text, as measured. */
const REQUEST_BYTES = 4096;

/** This part of the connections is for clients without a key: probes, scrapes, and callers that are just connecting. */
const UNAUTHENTICATED_FRACTION = 1 / 8;

/**
 * Tracks the open connections and limits their resources. Above the limit of connections, each new one evicts another:
 * the oldest one without a valid key, or, if there are few of those, an idle one of the caller with the most. So neither
 * clients without a key nor one caller can lock out the others.
 */
@Injectable()
export class ConnectionTracker {
  // By owner. Without an owner in order of acceptance, otherwise in order of the last request.
  #maxRequestsInFlight = Infinity;
  readonly #groups = new Map<string | undefined, Set<Connection>>();
  /** The open connections. */
  readonly open = new Set<Socket>();
  #unsent: LimitedSum<Socket> | undefined;

  /** Tracks the connections of a server. */
  attach(server: Server, limits: ServerLimits): void {
    this.#maxRequestsInFlight = limits.maxRequestsInFlight;
    const unread = new LimitedSum<Socket>(limits.maxUnreadBytes, (socket) => socket.destroy());
    const unsent = new LimitedSum<Socket>(limits.maxUnsentBytes, (socket) => socket.destroy());
    this.#unsent = unsent;
    const pipelined = new PacedQueue(limits.maxPipelinedPerTurn);
    server.on('connection', (socket: Connection) => {
      this.open.add(socket);
      this.#changeOwner(socket, undefined);
      socket.once('close', () => {
        this.open.delete(socket);
        this.#leaveGroup(socket);
        unread.set(socket, 0);
        unsent.set(socket, 0);
      });
      // After the requests that have just arrived: they are served, unless they have to wait.
      socket.once('end', () => setImmediate(() => abortAll(socket[IN_FLIGHT])));
      if (this.open.size > limits.maxConnections) this.#evictOne(limits.maxConnections);
      socket[PARSE_MORE] = parseGradually(socket, {
        maxInFlight: limits.maxRequestsInFlight,
        state: () => ({ inFlight: this.requestsInFlight(socket), lastRequest: this.lastRequest(socket) }),
        onMalformed: () => {
          const error = new Error('several spaces in a request line');
          server.emit('clientError', Object.assign(error, { code: 'HPE_INVALID_URL' }), socket);
        },
        onUnread: (bytes) => unread.set(socket, bytes),
        defer: (resume) => pipelined.add(resume),
      });
    });
  }

  /** Assigns a connection to the caller whose valid key it has sent. */
  markAuthenticated(socket: Socket, caller: string): void {
    this.#changeOwner(socket, caller);
  }

  /** Forgets which connections have sent a valid key: their keys may have been revoked. */
  forgetAuthentication(): void {
    const owned = [...this.#groups]
      .filter(([owner]) => owner !== undefined)
      .flatMap(([, group]) => [...group]);
    for (const socket of owned) this.#changeOwner(socket, undefined);
  }

  requestStarted(request: IncomingMessage, context: RequestContext): void {
    const socket: Connection = request.socket;
    socket[IN_FLIGHT] ??= new Set();
    socket[IN_FLIGHT].add(context);
    socket[LAST_REQUEST] = request;
  }

  /**
   * Counts a response until the client has received it. Above the limit of all connections, the client that takes the
   * longest is disconnected. Bytes are not counted: responses share them.
   */
  responseStarted(response: CountedResponse, payload: unknown): void {
    const { socket } = response.req;
    // The client may have disconnected long ago.
    if (!this.open.has(socket)) return;
    response[BYTES] = REQUEST_BYTES + (typeof payload === 'string' ? payload.length : 0);
    this.#unsent?.add(socket, response[BYTES]);
  }

  requestEnded(socket: Connection, context: RequestContext, response: CountedResponse): void {
    this.#unsent?.add(socket, -(response[BYTES] ?? 0));
    socket[IN_FLIGHT]?.delete(context);
    socket[PARSE_MORE]?.();
  }

  /** The number of requests in flight on a connection. */
  requestsInFlight(socket: Connection): number {
    return socket[IN_FLIGHT]?.size ?? 0;
  }

  /** Whether the gateway reads no further request from a connection. */
  isAtLimit(socket: Connection): boolean {
    return this.requestsInFlight(socket) >= this.#maxRequestsInFlight;
  }

  /** The last request whose headers have arrived; its body may be incomplete. */
  lastRequest(socket: Connection): IncomingMessage | undefined {
    return socket[LAST_REQUEST];
  }

  #changeOwner(socket: Connection, owner: string | undefined): void {
    this.#leaveGroup(socket);
    if (!this.open.has(socket)) return;
    socket[OWNER] = owner;
    const group = this.#groups.get(owner);
    if (group) group.add(socket);
    else this.#groups.set(owner, new Set([socket]));
  }

  #leaveGroup(socket: Connection): void {
    const group = this.#groups.get(socket[OWNER]);
    group?.delete(socket);
    if (group?.size === 0) this.#groups.delete(socket[OWNER]);
  }

  #evictOne(maxConnections: number): void {
    const unauthenticated = this.#groups.get(undefined);
    let largest: Set<Connection> | undefined;
    for (const [owner, group] of this.#groups)
      if (owner !== undefined && group.size > (largest?.size ?? 0)) largest = group;
    if (!largest || (unauthenticated?.size ?? 0) > maxConnections * UNAUTHENTICATED_FRACTION)
      first(unauthenticated)?.destroy();
    else (first(largest, (socket) => this.requestsInFlight(socket) === 0) ?? first(largest))?.destroy();
  }
}

/** Ends the waits of requests whose client has closed its side of the connection, as most clients do that are gone. */
function abortAll(requests: Iterable<RequestContext> = []): void {
  for (const { clientDisconnect } of requests) clientDisconnect.abort(CLIENT_DISCONNECTED);
}

function first(
  group: Iterable<Socket> = [],
  matches: (socket: Socket) => boolean = () => true,
): Socket | undefined {
  for (const socket of group) if (matches(socket)) return socket;
  return undefined;
}
