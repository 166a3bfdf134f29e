import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';

// On the socket, because a WeakMap of sockets cost 13 µs per rejected call.
const IN_FLIGHT = Symbol('requests in flight');
const LAST_REQUEST = Symbol('last request');

type Connection = Socket & { [IN_FLIGHT]?: number; [LAST_REQUEST]?: IncomingMessage };

/**
 * Tracks the open connections. When there are too many, the oldest connection on which no valid key was seen is
 * closed for the new one: idle connections, however many, cannot lock callers out.
 */
@Injectable()
export class ConnectionTracker {
  // In the order in which they were accepted.
  readonly #unauthenticated = new Set<Socket>();
  readonly #open = new Set<Socket>();

  /** The open connections. */
  get open(): ReadonlySet<Socket> {
    return this.#open;
  }

  attach(server: Server, maxConnections: number): void {
    server.on('connection', (socket) => {
      this.#open.add(socket);
      this.#unauthenticated.add(socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        this.#unauthenticated.delete(socket);
      });
      if (this.#open.size > maxConnections) this.#evictOldest();
    });
  }

  /** A caller has sent a valid key over the connection. */
  markAuthenticated(socket: Socket): void {
    this.#unauthenticated.delete(socket);
  }

  requestStarted(request: IncomingMessage): void {
    const socket: Connection = request.socket;
    socket[IN_FLIGHT] = this.requestsInFlight(socket) + 1;
    socket[LAST_REQUEST] = request;
  }

  requestEnded(socket: Connection): void {
    socket[IN_FLIGHT] = this.requestsInFlight(socket) - 1;
  }

  /** Requests in flight on a connection. */
  requestsInFlight(socket: Connection): number {
    return socket[IN_FLIGHT] ?? 0;
  }

  /** The last request whose headers have arrived; its body may be incomplete. */
  lastRequest(socket: Connection): IncomingMessage | undefined {
    return socket[LAST_REQUEST];
  }

  #evictOldest(): void {
    const [oldest] = this.#unauthenticated;
    oldest?.destroy();
  }
}
