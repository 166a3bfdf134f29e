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

/** A request's connection. */
export interface Connection {
  /** Counts from 1. */
  readonly number: number;
  readonly tls: boolean;
  /** What was accepted; under TLS, what carries the encrypted bytes. */
  readonly tcp: Socket;
}

export type RequestHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  connection: Connection,
) => void;

// As long as the cloud is said to keep idle connections.
const KEEP_ALIVE_MS = 60_000;

/** One port of the cloud. Knows every connection, so that it can break and close them. */
export class CloudListener {
  readonly #server: Server;
  readonly #connections = new Map<string, Connection>();

  /** @param nextNumber numbers a connection @param certificate makes it speak TLS */
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
        // After a reset the same port may already be back.
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

  /** Stops listening and cuts every connection. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { tcp } of this.#connections.values()) tcp.destroy();
    await closed;
  }
}

// A TLS socket and the TCP socket under it are two objects; what they share is the peer.
function peerKey({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
