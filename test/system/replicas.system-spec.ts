import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ReplicaSet } from '../support/replica-set.js';
import { bearerHeader, callerEntry } from '../support/callers-file.js';
import { RedisProcess } from '../support/redis.js';
import { tempFolderFixture } from '../support/fixtures.js';

const QUOTA = 20;
const redis = await RedisProcess.start();
const folder = await tempFolderFixture();

afterAll(() => redis.close());

const keyOf = (name: string): string => `igw_key-${name}`;
const headersOf = (name: string) => bearerHeader(keyOf(name));
// With a wait of 1 s, because a busy machine may send two calls at once.
const waitingHeadersOf = (name: string) => ({ ...headersOf(name), prefer: 'wait=1' });
const countServed = (responses: { status: number }[]) =>
  responses.filter(({ status }) => status === 200).length;

const database = (number: number): { REDIS_URL: string } => ({ REDIS_URL: `${redis.url}/${number}` });

describe('replicas under calls beyond the quota, over a network with 0 to 200 ms delay each way', () => {
  it.each([1, 2, 4, 8])(
    'send at most 20 calls in any second, and use at least 90 %% of the allowed calls, with %d replicas',
    async (size) => {
      const replicaSet = await ReplicaSet.start(size, database(size));
      await replicaSet.sendAtRate(50, 2);
      const before = replicaSet.sandbox.state().statistics.stopCalls;
      const startedAt = performance.now();
      await replicaSet.sendAtRate(10 * QUOTA, 5);
      const seconds = (performance.now() - startedAt) / 1000;
      const { stopCalls } = replicaSet.sandbox.state().statistics;
      expect(replicaSet.unexpectedExits).toEqual([]);
      expect(replicaSet.peakPerSecond).toBeLessThanOrEqual(QUOTA);
      // Measured, so that a busy machine counts as a slow network.
      const allowed = QUOTA / (1 + (await replicaSet.averageUpstreamSeconds()));
      expect((stopCalls - before) / seconds).toBeGreaterThanOrEqual(0.9 * allowed);
      await replicaSet.close();
    },
  );

  it('send at most 20 calls in any second while they are killed and replaced', async () => {
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

  it('send at most 20 calls in any second while two versions overlap', async () => {
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

  it('send at most 20 calls in any second while they are replaced one by one', async () => {
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

describe('the fair share while caller A sends 1,000 calls a second, B 5 and C 2', () => {
  it.each([1, 3])(
    'serves at least 95 %% of the calls of B and C, and gives A the rest, with %d replicas',
    async (size) => {
      const callersFile = join(folder, `callers-${size}.json`);
      const callers = ['a', 'b', 'c'].map((name) => callerEntry(name, keyOf(name)));
      await writeFile(callersFile, JSON.stringify(callers));
      const variables = { ...database(10 + size), ALLOW_ANONYMOUS: 'false', CALLERS_FILE: callersFile };
      // Over a fast network, B and C stay below their shares, even on a busy machine.
      const replicaSet = await ReplicaSet.start(size, variables, 20);
      const seconds = 12;
      // Without a first call, the calls of B that wait for the start would count as a burst.
      await Promise.all(replicaSet.urls.map((url) => replicaSet.callReplica(url, headersOf('b'))));
      // B and C start before A, because a new caller waits until slots of others are released.
      const modest = [
        replicaSet.sendAtRate(5, seconds + 3, waitingHeadersOf('b')),
        replicaSet.sendAtRate(2, seconds + 3, waitingHeadersOf('c')),
      ];
      await sleep(3000);
      const [a, b, c] = await Promise.all([replicaSet.sendAtRate(1000, seconds, headersOf('a')), ...modest]);
      expect(replicaSet.peakPerSecond).toBeLessThanOrEqual(QUOTA);
      expect(countServed(b!) / b!.length).toBeGreaterThanOrEqual(0.95);
      expect(countServed(c!) / c!.length).toBeGreaterThanOrEqual(0.95);
      const allowed = (seconds * QUOTA) / (1 + (await replicaSet.averageUpstreamSeconds()));
      expect(countServed(a)).toBeGreaterThanOrEqual(0.65 * (allowed - 7 * seconds));
      expect(a.some(({ body }) => body!['code'] === 'share-exhausted')).toBe(true);
      await replicaSet.close();
    },
  );
});
