import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { listen } from './free-port.js';

/** A TCP server without a protocol: the test decides what happens to each connection. */
export class TcpServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The number of connections so far. */
  connections = 0;
  port = 0;

  private constructor(onConnection: (socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      onConnection(socket);
    });
  }

  static async start(onConnection: (socket: Socket) => void): Promise<TcpServer> {
    const server = new TcpServer(onConnection);
    server.port = await listen(server.#server);
    return server;
  }

  destroyConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.destroyConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
