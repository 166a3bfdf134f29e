import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { RedisProcess } from './redis.js';

const SLOTS = 16_384;

/** A Redis cluster for one test: the first nodes share the slots, and the others replicate one of them each. */
export class RedisCluster {
  private constructor(readonly nodes: RedisProcess[]) {}

  /** @param settings of each node */
  static async start(
    masters: number,
    replicas: number,
    settings: () => Promise<string[]> = async () => [],
  ): Promise<RedisCluster> {
    const cluster = new RedisCluster(
      await Promise.all(Array.from({ length: masters + replicas }, async () => startNode(await settings()))),
    );
    const [first] = cluster.nodes;
    for (const [index, node] of cluster.nodes.entries()) {
      await node.command('CLUSTER', 'MEET', '127.0.0.1', String(first!.port), busPort(first!));
      if (index >= masters) continue;
      const own = Array.from({ length: SLOTS }, (_, slot) => String(slot)).filter(
        (slot) => Math.floor((Number(slot) * masters) / SLOTS) === index,
      );
      await node.command('CLUSTER', 'ADDSLOTS', ...own);
    }
    await cluster.waitUntilHealthy();
    for (let index = masters; index < cluster.nodes.length; index += 1)
      await cluster.replicate(cluster.nodes[index]!, cluster.nodes[index % masters]!);
    return cluster;
  }

  /** Adds an empty node. */
  async addNode(): Promise<RedisProcess> {
    const node = await startNode([]);
    const known = this.nodes.find(({ isRunning }) => isRunning);
    this.nodes.push(node);
    await known!.command('CLUSTER', 'MEET', '127.0.0.1', String(node.port), busPort(node));
    return node;
  }

  async replicate(replica: RedisProcess, master: RedisProcess): Promise<void> {
    const id = await idOf(master);
    while ((await replica.command('CLUSTER', 'REPLICATE', id)) !== '+OK\r\n') await sleep(50);
    while (!(await replica.command('INFO', 'replication')).includes('master_link_status:up')) await sleep(50);
  }

  /** The node that serves the keys of a gateway with this endpoint. */
  async ownerOf(key: string): Promise<RedisProcess> {
    for (const node of this.nodes)
      if (node.isRunning && (await node.command('EXISTS', key)).startsWith(':')) return node;
    throw new Error('no node serves the key');
  }

  /** Waits until every running node considers the cluster complete. */
  async waitUntilHealthy(): Promise<void> {
    for (const node of this.nodes)
      while (node.isRunning && !(await node.command('CLUSTER', 'INFO')).includes('cluster_state:ok'))
        await sleep(50);
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
  }
}

function startNode(settings: readonly string[]): Promise<RedisProcess> {
  return freePort().then((bus) =>
    RedisProcess.start(
      '--cluster-enabled',
      'yes',
      '--cluster-port',
      String(bus),
      '--cluster-node-timeout',
      '2000',
      ...settings,
    ),
  );
}

function busPort(node: RedisProcess): string {
  return node.settings[node.settings.indexOf('--cluster-port') + 1]!;
}

async function idOf(node: RedisProcess): Promise<string> {
  return (await node.command('CLUSTER', 'MYID')).split('\r\n')[1]!;
}
