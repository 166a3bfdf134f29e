import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { listen } from './free-port.js';

export interface ConnectProxyOptions {
  /** `user:password` that it requires. */
  readonly credentials?: string;
  /** The status of every response instead of a tunnel. */
  readonly status?: number;
  /** The port of loopback to which every tunnel leads, instead of the one that was asked for. */
  readonly target?: number;
  /** Whether it never responds. */
  readonly isSilent?: boolean;
}

/** An HTTP proxy that opens tunnels. */
export class ConnectProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly requests: { readonly authority: string; readonly headers: IncomingHttpHeaders }[] = [];
  port = 0;

  private constructor(options: ConnectProxyOptions) {
    this.#server = createServer();
    this.#server.on('connection', (socket) => this.#track(socket));
    this.#server.on('connect', ({ url, headers }, client: Socket) => {
      this.requests.push({ authority: url!, headers });
      if (options.isSilent) return;
      const status = options.status ?? statusFor(options.credentials, headers);
      if (status !== 200) {
        client.end(`HTTP/1.1 ${status} Error\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      const upstream = this.#track(connect(options.target ?? Number(url!.split(':').at(-1)), '127.0.0.1'));
      upstream.once('connect', () => {
        client.write('HTTP/1.1 200 Connection established\r\n\r\n');
        client.pipe(upstream).pipe(client);
      });
    });
  }

  static async start(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(options);
    proxy.port = await listen(proxy.#server);
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  closeTunnels(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.closeTunnels();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #track(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

function statusFor(credentials: string | undefined, headers: IncomingHttpHeaders): number {
  if (credentials === undefined) return 200;
  const expected = `Basic ${Buffer.from(credentials).toString('base64')}`;
  return headers['proxy-authorization'] === expected ? 200 : 407;
}
