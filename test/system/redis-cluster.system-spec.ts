import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { createCertificateAuthority } from '../../apps/sandbox/src/certificates.js';
import { SlowListener } from '../../libs/tencent-cloud/test/slow-listener.js';
import { quotaKey } from '../../apps/gateway/src/redis/connect-redis.js';
import { freePort } from '../support/free-port.js';
import type { RedisProcess } from '../support/redis.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { ReplicaSet } from '../support/replica-set.js';
import { TcpServer } from '../support/tcp-server.js';
import { createTempFolder } from '../support/temp-folder.js';

const LIMIT_MS = 30_000;
const replicaSet = await ReplicaSet.start(0, {}, 0);
const key = `ingest-gateway:{${quotaKey(new URL(replicaSet.sandbox.httpUrl))}}`;
const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  while (replicaSet.urls.length > 0) await replicaSet.stopOldest('SIGKILL');
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

afterAll(() => replicaSet.close());

async function clusterWith(...options: Parameters<typeof RedisCluster.start>): Promise<RedisCluster> {
  const cluster = await RedisCluster.start(...options);
  cleanups.push(() => cluster.close());
  return cluster;
}

const clusterUrl = (...nodes: RedisProcess[]): string =>
  `redis://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}?cluster=true`;

/** Starts a replica of the gateway, and expects that it uses the slots in the cluster. */
async function expectConnected(variables: Record<string, string>): Promise<void> {
  await replicaSet.addReplica(variables);
  expect(await replicaSet.waitForRedis(LIMIT_MS)).toBe(true);
}

async function othersThan(owner: RedisProcess, { nodes }: RedisCluster): Promise<RedisProcess[]> {
  return nodes.filter((node) => node !== owner);
}

describe('a replica finds the slots in a cluster again', () => {
  it.each<[string, NodeJS.Signals]>([
    ['is gone', 'SIGKILL'],
    ['accepts connections and no longer responds', 'SIGSTOP'],
  ])('when the only node in its URL, which held them, %s', async (_, signal) => {
    const cluster = await clusterWith(3, 3);
    const owner = await cluster.ownerOf(key);
    await expectConnected({ REDIS_URL: clusterUrl(owner) });
    await owner.signal(signal);
    expect(await isDisconnected()).toBe(true);
    expect(await replicaSet.waitForRedis(LIMIT_MS)).toBe(true);
  });

  it('when all nodes have been replaced one after the other', async () => {
    const cluster = await clusterWith(1, 0);
    const [seed] = cluster.nodes;
    await expectConnected({ REDIS_URL: clusterUrl(seed!) });
    for (let owner = seed!, generation = 0; generation < 2; generation += 1) {
      const successor = await cluster.addNode();
      await cluster.replicate(successor, owner);
      expect(await successor.command('CLUSTER', 'FAILOVER')).toBe('+OK\r\n');
      // The gateway follows the slots, and learns the address of the new node.
      while ((await cluster.ownerOf(key)) !== successor);
      await waitForClient(successor);
      await owner.signal('SIGKILL');
      owner = successor;
    }
    expect(await replicaSet.waitForRedis(LIMIT_MS)).toBe(true);
  });

  it('when the first nodes in its URL never existed, or do not respond', async () => {
    const cluster = await clusterWith(3, 0);
    const [node] = await othersThan(await cluster.ownerOf(key), cluster);
    const closed = `127.0.0.1:${await freePort()}`;
    const dead = await SlowListener.start('127.0.0.2');
    cleanups.push(() => dead.close());
    const silent = await TcpServer.start(() => {});
    cleanups.push(() => silent.close());
    const seeds = [closed, 'no-such-host.invalid', `127.0.0.2:${dead.port}`, `127.0.0.1:${silent.port}`];
    await expectConnected({
      REDIS_URL: `redis://${seeds.join(',')},127.0.0.1:${node!.port}?cluster=true`,
    });
  });
});

describe('a replica finds the slots in a cluster whose nodes', () => {
  it.each([
    ['announce host names', 'hostname', 'localhost'],
    ['announce a host name that does not resolve', 'hostname', 'no-such-host.invalid'],
    ['prefer host names and have none', 'hostname', ''],
    ['announce no address', 'unknown-endpoint', ''],
  ])('%s', async (_, type, hostname) => {
    const cluster = await clusterWith(3, 0);
    for (const node of cluster.nodes) {
      await node.command('CONFIG', 'SET', 'cluster-announce-hostname', hostname);
      await node.command('CONFIG', 'SET', 'cluster-preferred-endpoint-type', type);
    }
    const others = await othersThan(await cluster.ownerOf(key), cluster);
    await expectConnected({ REDIS_URL: clusterUrl(others[0]!) });
  });

  it('announce addresses that cannot be reached, when its URL lists all nodes', async () => {
    const cluster = await clusterWith(3, 0);
    for (const node of cluster.nodes)
      await node.command('CONFIG', 'SET', 'cluster-announce-port', String(await freePort()));
    const owner = await cluster.ownerOf(key);
    await expectConnected({ REDIS_URL: clusterUrl(...(await othersThan(owner, cluster)), owner) });
  });

  it.each([
    ['announce their names', 'hostname'],
    ['announce their addresses, when its URL lists all names', 'ip'],
  ])('have certificates for host names and %s', async (_, type) => {
    const folder = await createTempFolder();
    cleanups.push(() => folder.remove());
    const authority = await createCertificateAuthority();
    const { cert, key: privateKey } = await authority.issue({ hosts: ['localhost'] });
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder.path, name), text, { mode: 0o600 });
      return join(folder.path, name);
    };
    const ca = await file('ca.pem', authority.ca);
    const tls = [
      '--tls-cert-file',
      await file('cert.pem', cert),
      '--tls-key-file',
      await file('key.pem', privateKey),
      '--tls-ca-cert-file',
      ca,
      '--tls-auth-clients',
      'no',
      '--tls-cluster',
      'yes',
      '--cluster-announce-hostname',
      'localhost',
      '--cluster-preferred-endpoint-type',
      type,
    ];
    const cluster = await clusterWith(3, 0, async () => [...tls, '--tls-port', String(await freePort())]);
    const ports = cluster.nodes.map(({ settings }) => settings.at(-1));
    const owner = cluster.nodes.indexOf(await cluster.ownerOf(key));
    const seeds = ports.filter((_port, index) => type === 'ip' || index !== owner);
    await expectConnected({
      REDIS_URL: `rediss://${seeds.map((port) => `localhost:${port}`).join(',')}?cluster=true`,
      NODE_EXTRA_CA_CERTS: ca,
    });
  });
});

async function isDisconnected(): Promise<boolean> {
  while ((await replicaSet.sumMetric('ingest_gateway_quota_redis_up')) > 0);
  return true;
}

/** Waits until the slots connection of the gateway is to this node. */
async function waitForClient(node: RedisProcess): Promise<void> {
  while (!(await node.command('CLIENT', 'LIST')).includes('name=ingest-gateway-slots '));
}
