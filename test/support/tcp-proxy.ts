import { connect } from 'node:net';
import { TcpServer } from './tcp-server.js';

/** A TCP proxy to a port of loopback. A test can disconnect it and change its target. */
export class TcpProxy {
  #server!: TcpServer;
  #isDisconnected = false;
  #outages = 0;
  #target: number;

  private constructor(target: number) {
    this.#target = target;
  }

  static async start(target: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server = await TcpServer.start((downstream) => {
      if (proxy.#isDisconnected) return;
      const outage = proxy.#outages;
      const isCutOff = (): boolean => proxy.#outages !== outage;
      const upstream = connect(proxy.#target, '127.0.0.1');
      upstream.on('error', () => {});
      downstream.on('close', () => upstream.destroy());
      upstream.on('close', () => downstream.destroy());
      downstream.on('data', (data: Buffer) => isCutOff() || upstream.write(data));
      upstream.on('data', (data: Buffer) => isCutOff() || downstream.write(data));
    });
    return proxy;
  }

  /** `host:port` of the proxy. */
  get host(): string {
    return `127.0.0.1:${this.#server.port}`;
  }

  /** Drops all data from now on, and keeps the connections open. */
  disconnect(): void {
    this.#isDisconnected = true;
    this.#outages += 1;
  }

  /** Forwards new connections. Those from before the outage stay open, and their data is dropped. */
  forwardNewConnections(): void {
    this.#isDisconnected = false;
  }

  /** Closes all connections, and forwards new ones. */
  reconnect(target = this.#target): void {
    this.#target = target;
    this.#isDisconnected = false;
    this.#server.destroyConnections();
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
