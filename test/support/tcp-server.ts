import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { listen } from './free-port.js';

/** A TCP server that does to each connection what it is told, and speaks no protocol of its own. */
export class TcpServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  connections = 0;
  port = 0;

  private constructor(onConnection: (socket: Socket, connection: number) => void) {
    this.#server = createServer((socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      onConnection(socket, this.connections);
    });
  }

  static async start(onConnection: (socket: Socket, connection: number) => void): Promise<TcpServer> {
    const cloud = new TcpServer(onConnection);
    cloud.port = await listen(cloud.#server);
    return cloud;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
