import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import type { Certificate } from './certificates.js';

/** The connection that carried a request. */
export interface Connection {
  /** Counts from 1. */
  readonly number: number;
  readonly tls: boolean;
  /** The accepted TCP socket, also when the connection uses TLS. */
  readonly tcp: Socket;
}

export type RequestHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  connection: Connection,
) => void;

// As documented for the cloud.
const KEEP_ALIVE_MS = 60_000;

/** Listens on one port and tracks its connections, so that it can reset and close them. */
export class CloudListener {
  readonly #server: Server;
  readonly #connections = new Map<string, Connection>();

  /** @param nextNumber returns the number of a new connection @param certificate enables TLS */
  constructor(handle: RequestHandler, nextNumber: () => number, certificate?: Certificate) {
    const listener: RequestListener = (request, response) => {
      const connection = this.#connections.get(peerKey(request.socket));
      if (connection) handle(request, response, connection);
    };
    this.#server = certificate ? createTlsServer(certificate, listener) : createServer(listener);
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.#server.on('connection', (tcp: Socket) => {
      const key = peerKey(tcp);
      const connection = { number: nextNumber(), tls: certificate !== undefined, tcp };
      this.#connections.set(key, connection);
      tcp.once('close', () => {
        // After a reset, the client may have reused the port already.
        if (this.#connections.get(key) === connection) this.#connections.delete(key);
      });
    });
  }

  /** @returns the port @throws the system's error, e.g. `EADDRINUSE` */
  async listen(host: string, port: number): Promise<number> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Stops listening and closes every connection. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { tcp } of this.#connections.values()) tcp.destroy();
    await closed;
  }
}

// A TLS socket and its TCP socket are two objects that share only the peer's address.
function peerKey({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
