import type { LookupAddress } from 'node:dns';
import { connect as connectTcp, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';
import { resolveAddresses, toConnectOptions } from '#libs/tencent-cloud';
import type { RedisAddress } from './parse-redis-url.js';

/** Options of a connection to one node. */
export type NodeOptions = Omit<RedisOptions, 'replyMapping'> & {
  /** In milliseconds: to resolve the name, and to connect. */
  readonly connectTimeout: number;
  readonly disconnectTimeout: number;
};

/** The address of a node, and those of its name. The certificate is verified for the name. */
export interface ResolvedAddress extends RedisAddress {
  readonly addresses: readonly LookupAddress[];
}

/**
 * Opens the connections of a Redis client. The time for a connection is divided among the addresses of the name. ioredis's
 * own connector leaves 250 ms to each of them.
 */
export abstract class RedisConnector extends AbstractConnector {
  constructor(protected readonly options: NodeOptions) {
    super(options.disconnectTimeout);
  }

  /** Returns the node for the next connection. */
  protected abstract findNode(): Promise<ResolvedAddress>;

  override async connect(): Promise<Socket> {
    this.connecting = true;
    delete this.firstError;
    // After a rejection, ioredis would not retry. A closed socket makes it retry, unless it is disconnected for good.
    this.stream = await this.#open().catch((error: Error) => {
      if (this.connecting) this.firstError = error;
      return new Socket().destroy();
    });
    if (!this.connecting) this.stream.destroy();
    return this.stream;
  }

  async #open(): Promise<Socket> {
    const { tls, connectTimeout } = this.options;
    const { host, port, addresses } = await this.findNode();
    const options = { host, port, ...toConnectOptions(addresses, connectTimeout) };
    const stream = tls ? connectTls({ ...tls, ...options }) : connectTcp(options);
    return stream.once('error', (error) => (this.firstError = error));
  }

  /** Finds the addresses of a name, in the time of a connection. */
  protected async resolve(address: RedisAddress): Promise<ResolvedAddress> {
    const addresses = await Promise.race([
      resolveAddresses(address.host),
      sleep(this.options.connectTimeout, undefined, { ref: false }),
    ]);
    if (!addresses) throw Object.assign(new Error('lookup ETIMEDOUT'), { code: 'ETIMEDOUT' });
    return { ...address, addresses };
  }
}

export type NodeAddress = RedisAddress | ResolvedAddress;

/** Returns the class of the connectors to one server. */
export function connectorTo(options: NodeOptions, address: NodeAddress) {
  return class extends RedisConnector {
    constructor() {
      super(options);
    }

    protected override findNode(): Promise<ResolvedAddress> {
      return 'addresses' in address ? Promise.resolve(address) : this.resolve(address);
    }
  };
}
