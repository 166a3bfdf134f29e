import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/** How many requests of a connection are under way: kept on the socket, because a WeakMap of sockets took 13 µs of a refusal's 80. */
const IN_FLIGHT = Symbol('requests in flight');

const LAST_REQUEST = Symbol('last request');

type Connection = Socket & { [IN_FLIGHT]?: number; [LAST_REQUEST]?: IncomingMessage };

/**
 * The connections that are open. When there are too many, the oldest one on which nobody has shown a key gives way to
 * the new one: idle connections, however many, keep no caller out.
 */
export class Connections {
  // In the order in which they came.
  readonly #unproved = new Set<Socket>();
  readonly #open = new Set<Socket>();

  constructor(private readonly limit: number) {}

  get open(): ReadonlySet<Socket> {
    return this.#open;
  }

  /** Requests in flight on a connection. */
  inFlightOn(socket: Connection): number {
    return socket[IN_FLIGHT] ?? 0;
  }

  /** The last request of which the head has arrived; its body may be incomplete. */
  lastRequestOn(socket: Connection): IncomingMessage | undefined {
    return socket[LAST_REQUEST];
  }

  watch(server: Server): void {
    server.on('connection', (socket) => {
      this.#open.add(socket);
      this.#unproved.add(socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        this.#unproved.delete(socket);
      });
      if (this.#open.size > this.limit) this.#giveWay();
    });
    // What is expected beyond 100-continue cannot be met; the answer is the same as without it.
    server.on('checkExpectation', (request, response) => server.emit('request', request, response));
  }

  /** A caller has shown a valid key on it. */
  proved(socket: Socket): void {
    this.#unproved.delete(socket);
  }

  begun(request: IncomingMessage): void {
    const socket: Connection = request.socket;
    socket[IN_FLIGHT] = this.inFlightOn(socket) + 1;
    socket[LAST_REQUEST] = request;
  }

  ended(socket: Connection): void {
    socket[IN_FLIGHT] = this.inFlightOn(socket) - 1;
  }

  #giveWay(): void {
    const [oldest] = this.#unproved;
    oldest?.destroy();
  }
}
