import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { Injectable } from '@nestjs/common';

// On the socket, because a WeakMap of sockets cost 13 µs per rejected call.
const IN_FLIGHT = Symbol('requests in flight');
const LAST_REQUEST = Symbol('last request');

type Connection = Socket & { [IN_FLIGHT]?: number; [LAST_REQUEST]?: IncomingMessage };

/**
 * Tracks the open connections. Above the limit, each new connection evicts the oldest one that has not sent a valid
 * key, so that any number of idle connections cannot lock out callers.
 */
@Injectable()
export class ConnectionTracker {
  // In order of acceptance.
  readonly #unauthenticated = new Set<Socket>();
  /** The open connections. */
  readonly open = new Set<Socket>();

  /** Tracks the connections of a server. */
  attach(server: Server, maxConnections: number): void {
    server.on('connection', (socket) => {
      this.open.add(socket);
      this.#unauthenticated.add(socket);
      socket.once('close', () => {
        this.open.delete(socket);
        this.#unauthenticated.delete(socket);
      });
      if (this.open.size > maxConnections) this.#evictOldest();
    });
  }

  /** Protects a connection that has sent a valid key from eviction. */
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

  /** The number of requests in flight on a connection. */
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
