import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ReplicaSet } from '../support/replica-set.js';
import { RedisProcess } from '../support/redis.js';

const QUOTA = 20;
let redis: RedisProcess;
let directory: string;

beforeAll(async () => {
  redis = await RedisProcess.start();
  directory = await mkdtemp(join(tmpdir(), 'ingest-gateway-callers-'));
});

afterAll(async () => {
  await redis.close();
  await rm(directory, { recursive: true, force: true });
});

const key = (name: string): string => `key-of-${name}-`.padEnd(43, 'x');
const digest = (name: string): string => createHash('sha256').update(key(name)).digest('hex');
const bearerOf = (name: string) => ({ authorization: `Bearer ${key(name)}` });
// A second's patience, so that a busy machine that sends two calls at once does not count as a refusal.
const waitingBearerOf = (name: string) => ({ ...bearerOf(name), prefer: 'wait=1' });
const countServed = (responses: { status: number }[]) =>
  responses.filter(({ status }) => status === 200).length;

const database = (number: number): { REDIS_URL: string } => ({ REDIS_URL: `${redis.url}/${number}` });

describe('replicas that are called at 10 times the quota, over a network of 0 to 200 ms each way', () => {
  it.each([1, 2, 4, 8])(
    '%d: never let more than 20 arrive in any second, and use at least 90 %% of what the rule allows',
    async (size) => {
      const replicaSet = await ReplicaSet.start(size, database(size));
      await replicaSet.sendAtRate(50, 2);
      const before = replicaSet.sandbox.state().statistics.stopCalls;
      const startedAt = performance.now();
      await replicaSet.sendAtRate(10 * QUOTA, 5);
      const seconds = (performance.now() - startedAt) / 1000;
      const { stopCalls: arrivals } = replicaSet.sandbox.state().statistics;
      expect(replicaSet.unexpectedExits).toEqual([]);
      expect(replicaSet.peakPerSecond).toBeLessThanOrEqual(QUOTA);
      // Measured, so that a busy machine counts as a slow network.
      const allowed = QUOTA / (1 + (await replicaSet.averageUpstreamSeconds()));
      expect((arrivals - before) / seconds).toBeGreaterThanOrEqual(0.9 * allowed);
      await replicaSet.close();
    },
  );

  it('that are killed while they hold slots, every 2 s, and replaced: never more than 20', async () => {
    const replicaSet = await ReplicaSet.start(3, database(9));
    const flood = replicaSet.sendAtRate(100, 9);
    for (let n = 0; n < 4; n += 1) {
      await sleep(1500);
      await replicaSet.stopOldest('SIGKILL');
      await replicaSet.addReplica();
    }
    await flood;
    expect(replicaSet.peakPerSecond).toBeLessThanOrEqual(QUOTA);
    await replicaSet.close();
  });

  it('of two versions that overlap, the old ones leaving only when the new ones are there: never more than 20', async () => {
    const old = { ...database(14), GATEWAY_REVISION: 'old', SHUTDOWN_GRACE_MS: '1000' };
    const replicaSet = await ReplicaSet.start(2, old);
    const flood = replicaSet.sendAtRate(100, 12);
    for (let n = 0; n < 2; n += 1)
      await replicaSet.addReplica({ GATEWAY_REVISION: 'new', UPSTREAM_ATTEMPT_TIMEOUT_MS: '1500' });
    await sleep(2000);
    for (let n = 0; n < 2; n += 1) await replicaSet.stopOldest('SIGTERM');
    const responses = await flood;
    expect(replicaSet.peakPerSecond).toBeLessThanOrEqual(QUOTA);
    expect(responses.some(({ status }) => status === 200)).toBe(true);
    expect(replicaSet.unexpectedExits).toEqual([]);
    await replicaSet.close();
  });

  it('that are replaced one by one: never more than 20', async () => {
    const replicaSet = await ReplicaSet.start(2, { ...database(10), SHUTDOWN_GRACE_MS: '2000' });
    const flood = replicaSet.sendAtRate(100, 9);
    for (let n = 0; n < 2; n += 1) {
      await replicaSet.addReplica();
      await replicaSet.stopOldest('SIGTERM');
    }
    const responses = await flood;
    expect(replicaSet.peakPerSecond).toBeLessThanOrEqual(QUOTA);
    expect(responses.some(({ status }) => status === 200)).toBe(true);
    await replicaSet.close();
  });
});

describe('caller A floods with 1,000 calls a second, B asks for 5 and C for 2', () => {
  it.each([1, 3])('over %d: B and C get at least 95 %% of what they ask, A what is left', async (size) => {
    const callersFile = join(directory, `callers-${size}.json`);
    const callers = ['a', 'b', 'c'].map((name) => ({ name, keySha256: digest(name) }));
    await writeFile(callersFile, JSON.stringify(callers));
    const variables = { ...database(10 + size), ALLOW_ANONYMOUS: 'false', CALLERS_FILE: callersFile };
    // Over a quick network, what B and C need stays under their shares however busy this machine is.
    const replicaSet = await ReplicaSet.start(size, variables, 20);
    const seconds = 12;
    // The hold after start is over: else the calls of B that wait for it count as one burst.
    await Promise.all(replicaSet.urls.map((url) => replicaSet.callReplica(url, bearerOf('b'))));
    // B and C are there before A comes: a newcomer waits for the slots of others to come back.
    const modest = [
      replicaSet.sendAtRate(5, seconds + 3, waitingBearerOf('b')),
      replicaSet.sendAtRate(2, seconds + 3, waitingBearerOf('c')),
    ];
    await sleep(3000);
    const [a, b, c] = await Promise.all([replicaSet.sendAtRate(1000, seconds, bearerOf('a')), ...modest]);
    expect(replicaSet.peakPerSecond).toBeLessThanOrEqual(QUOTA);
    expect(countServed(b!) / b!.length).toBeGreaterThanOrEqual(0.95);
    expect(countServed(c!) / c!.length).toBeGreaterThanOrEqual(0.95);
    const allowed = (seconds * QUOTA) / (1 + (await replicaSet.averageUpstreamSeconds()));
    expect(countServed(a)).toBeGreaterThanOrEqual(0.65 * (allowed - 7 * seconds));
    expect(a.some(({ body }) => body!['code'] === 'share-exhausted')).toBe(true);
    await replicaSet.close();
  });
});
