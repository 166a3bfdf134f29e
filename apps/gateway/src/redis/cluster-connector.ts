import { Redis } from 'ioredis';
import type { RedisAddress } from './parse-redis-url.js';
import {
  connectorTo,
  type NodeAddress,
  type NodeOptions,
  RedisConnector,
  type ResolvedAddress,
} from './redis-connector.js';

/** A reply cannot make the search longer than this. */
const MAX_NODES = 64;

const HOST = /^[\w.:-]{1,255}$/;

interface Answer {
  /** The node that holds the key; undefined if it is the node itself. */
  readonly movedTo: NodeAddress | undefined;
  /** Every node that the node knows. */
  readonly nodes: readonly NodeAddress[];
}

/**
 * Connects to the node of a cluster that holds a key. All keys of the gateway have one hash tag, so one node holds them
 * all.
 *
 * Each attempt searches this node again: through the last one, the seeds, and all nodes that it knew. A node is used
 * when it has proved that it holds the key. So nodes may announce host names, addresses that cannot be reached from
 * here, or no address, as long as one known address leads to the node. Each address of a name may be another node, and is
 * asked on its own. The connection verifies the certificate of the name.
 *
 * @see ../../../../docs/adr/0022-redis-cluster.md
 */
export class ClusterConnector extends RedisConnector {
  readonly #seeds: readonly RedisAddress[];
  readonly #key: string;
  #known: readonly NodeAddress[] = [];
  #probe: Redis | undefined;

  /** @param options of a connection to a node */
  constructor(options: NodeOptions, seeds: readonly RedisAddress[], key: string) {
    super(options);
    this.#seeds = seeds;
    this.#key = key;
  }

  override disconnect(): void {
    this.#probe?.disconnect();
    super.disconnect();
  }

  protected override async findNode(): Promise<ResolvedAddress> {
    const [last, ...others] = this.#known;
    const queue = [...(last ? [last] : []), ...this.#seeds, ...others];
    const asked = new Set<string>();
    let probes = 0;
    let lastError: unknown = new Error('CLUSTERDOWN no node of the cluster holds the keys');
    for (
      let address = queue.shift();
      address && this.connecting && probes < MAX_NODES;
      address = queue.shift()
    ) {
      const name = nameOf(address);
      if (asked.has(name)) continue;
      asked.add(name);
      try {
        if (!('addresses' in address)) {
          queue.unshift(...(await this.#resolveEach(address)));
          continue;
        }
        probes += 1;
        const { movedTo, nodes } = await this.#ask(address);
        if (!movedTo) {
          this.#known = [address, ...nodes];
          return address;
        }
        queue.unshift(movedTo);
        queue.push(...nodes);
      } catch (error) {
        lastError = error;
      }
    }
    throw lastError;
  }

  /** Each address of a name may be another node. */
  async #resolveEach(address: RedisAddress): Promise<ResolvedAddress[]> {
    const { addresses } = await this.resolve(address);
    return addresses.map((one) => ({ ...address, addresses: [one] }));
  }

  async #ask(address: ResolvedAddress): Promise<Answer> {
    const probe = new Redis({
      ...this.options,
      retryStrategy: () => null,
      Connector: connectorTo(this.options, address),
    });
    this.#probe = probe;
    let connectionError: Error | undefined;
    probe.on('error', (error: Error) => (connectionError ??= error));
    try {
      await probe.connect();
      const nodes = parseNodes(await probe.cluster('SLOTS'), address);
      const movedTo = await probe.exists(this.#key).then(
        () => undefined,
        (error: Error) => parseMoved(error, address),
      );
      return { movedTo, nodes };
    } catch (error) {
      throw connectionError ?? error;
    } finally {
      probe.disconnect();
    }
  }
}

function nameOf(address: NodeAddress): string {
  const ips = 'addresses' in address ? address.addresses.map((one) => one.address) : [];
  return [address.host, address.port, ...ips].join(' ');
}

/** A node without a valid host has the host through which it was found. */
function toAddress(host: unknown, port: unknown, current: ResolvedAddress): NodeAddress {
  return isHost(host) ? { host, port: Number(port) } : { ...current, port: Number(port) };
}

function isHost(host: unknown): host is string {
  return typeof host === 'string' && HOST.test(host);
}

/** Returns the addresses in a reply of `CLUSTER SLOTS`: of each node the preferred one first, then the others. */
function parseNodes(reply: unknown, current: ResolvedAddress): NodeAddress[] {
  const nodes = list(reply).flatMap((range) => list(range).slice(2));
  const addresses = nodes.flatMap((node) => {
    const [host, port, , metadata] = list(node);
    const others = list(metadata).filter((_, index) => index % 2 === 1);
    return [
      toAddress(host, port, current),
      ...others.filter(isHost).map((other) => toAddress(other, port, current)),
    ];
  });
  return addresses
    .filter(({ port }) => Number.isInteger(port) && port > 0 && port < 65_536)
    .slice(0, MAX_NODES);
}

/** @throws the error, if it is not a redirection */
function parseMoved(error: Error, current: ResolvedAddress): NodeAddress {
  const [, host, port] = /^MOVED \d+ (.*):(\d{1,5})$/.exec(error.message) ?? [];
  if (port === undefined) throw error;
  return toAddress(host, port, current);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
