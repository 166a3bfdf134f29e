import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createCertificateAuthority } from '../../apps/sandbox/src/certificates.js';
import { ReplicaSet } from '../support/replica-set.js';
import { createTempFolder } from '../support/temp-folder.js';
import { freePort } from '../support/free-port.js';
import { RedisProcess } from '../support/redis.js';
import { RedisCluster } from '../support/redis-cluster.js';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

async function redisWith(...settings: string[]): Promise<RedisProcess> {
  const redis = await RedisProcess.start(...settings);
  cleanups.push(() => redis.close());
  return redis;
}

/** Sends 60 simultaneous calls to two replicas, which serve 20 of them. */
async function expectSharedSlots(
  first: Record<string, string>,
  second: Record<string, string>,
): Promise<void> {
  const replicaSet = await ReplicaSet.start(0, {}, 0);
  cleanups.push(() => replicaSet.close());
  await replicaSet.addReplica(first);
  await replicaSet.addReplica(second);
  // The first calls wait until slots are granted after start.
  await Promise.all([1, 2].map(() => replicaSet.call({ prefer: 'wait=30' })));
  expect(await replicaSet.waitForRedis(5000)).toBe(true);
  await sleep(2500);
  // No slot frees before the last call arrives.
  replicaSet.sandbox.setDelays({ response: { minMs: 2000, maxMs: 2000 } });
  const responses = await Promise.all(Array.from({ length: 60 }, () => replicaSet.call()));
  expect(responses.filter(({ status }) => status === 200)).toHaveLength(20);
  expect(responses.filter(({ status }) => status === 429)).toHaveLength(40);
  // Waiting calls get the slots that another replica releases.
  const waiting = await Promise.all(Array.from({ length: 30 }, () => replicaSet.call({ prefer: 'wait=30' })));
  expect(waiting.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 200));
  expect(replicaSet.peakPerSecond).toBeLessThanOrEqual(20);
  expect(replicaSet.unexpectedExits).toEqual([]);
}

describe('two replicas share their slots through', () => {
  it('a Redis with TLS, a user, a password and a database number', async () => {
    const folder = await createTempFolder();
    cleanups.push(() => folder.remove());
    const authority = await createCertificateAuthority();
    const { cert, key } = await authority.issue({ hosts: ['localhost', '127.0.0.1'] });
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder.path, name), text, { mode: 0o600 });
      return join(folder.path, name);
    };
    const ca = await file('ca.pem', authority.ca);
    const port = await freePort();
    const files = [
      '--tls-cert-file',
      await file('cert.pem', cert),
      '--tls-key-file',
      await file('key.pem', key),
    ];
    const tls = ['--tls-port', String(port), '--tls-auth-clients', 'no', '--tls-ca-cert-file', ca, ...files];
    const redis = await redisWith(...tls);
    await redis.command(
      'ACL',
      'SETUSER',
      'gateway',
      'on',
      '>made up: p@ss/word',
      '~ingest-gateway:*',
      '+@all',
    );
    const url = new URL(`rediss://localhost:${port}/3`);
    url.username = 'gateway';
    url.password = 'made up: p@ss/word';
    const variables = { REDIS_URL: url.href, NODE_EXTRA_CA_CERTS: ca };
    await expectSharedSlots(variables, variables);
    expect(await redis.command('DBSIZE')).toBe(':0\r\n');
  });

  it('a cluster of three nodes, when each is configured with another node', async () => {
    const cluster = await RedisCluster.start(3, 0);
    cleanups.push(() => cluster.close());
    const [first, , third] = cluster.nodes.map(({ url }) => ({ REDIS_URL: `${url}?cluster=true` }));
    await expectSharedSlots(first!, third!);
  });
});
