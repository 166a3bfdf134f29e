import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
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

/** A server that rejects a connection does so within this time. */
const REJECTION_MS = 50;

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
    stream.once('error', (error) => (this.firstError = error));
    this.stream = stream;
    if (!tls) await assertAccepted(stream, connectTimeout);
    return stream;
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

/**
 * Waits for the connection, and for the error of a server that rejects it: at `maxclients`, or in protected mode. Such a
 * server closes the connection at once. A command that is sent to it resets the connection, and the error is lost.
 *
 * @throws Error with the text of the server; with the code `ETIMEDOUT` when there is no connection in time
 */
async function assertAccepted(stream: Socket, connectTimeoutMs: number): Promise<void> {
  const waiting = new AbortController();
  const { signal } = waiting;
  const timeout = async (ms: number, error?: Error): Promise<void> => {
    await sleep(ms, undefined, { ref: false, signal });
    if (error) throw error;
  };
  try {
    const timedOut = Object.assign(new Error('connect ETIMEDOUT'), { code: 'ETIMEDOUT' });
    await Promise.race([once(stream, 'connect', { signal }), timeout(connectTimeoutMs, timedOut)]);
    await Promise.race([once(stream, 'readable', { signal }), timeout(REJECTION_MS)]);
    const rejection = stream.read() as Buffer | null;
    if (rejection) throw new Error(/^-(.*)/.exec(rejection.toString())?.[1] ?? 'closed');
  } catch (error) {
    stream.destroy();
    throw error;
  } finally {
    waiting.abort();
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
