import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ReplicaSet } from '../support/replica-set.js';
import { RedisProcess } from '../support/redis.js';
import { TcpProxy } from '../support/tcp-proxy.js';

const QUOTA = 20;
const CALL_WAIT_MS = 1000;
const [redis, standby] = await Promise.all([RedisProcess.start(), RedisProcess.start()]);
const proxy = await TcpProxy.start(redis.port);
const replicaSet = await ReplicaSet.start(3, { REDIS_URL: `redis://${proxy.host}` });
// A replica gets fallback slots when it knows the number of replicas.
await replicaSet.sendAtRate(20, 4, { prefer: 'wait=2' });

afterAll(async () => {
  await replicaSet.close();
  await proxy.close();
  await Promise.all([redis.close(), standby.close()]);
});

/** Calls the replicas at four times the quota during an outage of Redis. They share slots again within 3 s after it. */
async function expectSharingDuring(disrupt: () => Promise<unknown>, seconds = 3): Promise<void> {
  const flood = replicaSet.sendAtRate(80, 1 + seconds + 3, { prefer: 'wait=1' });
  await sleep(1000);
  await disrupt();
  expect(await replicaSet.waitForRedis(3000)).toBe(true);
  const responses = await flood;
  expect(replicaSet.unexpectedExits).toEqual([]);
  expect(replicaSet.peakPerSecond).toBeLessThanOrEqual(QUOTA);
  expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200, 429]));
  const slowest = Math.max(
    ...responses.filter(({ status }) => status !== 200).map(({ durationMs }) => durationMs),
  );
  expect(slowest).toBeLessThanOrEqual(CALL_WAIT_MS + 500);
  // The fallback slots alone, 18 of 20, serve more than this; calls that wait for Redis would be fewer.
  expect(responses.filter(({ status }) => status === 200).length).toBeGreaterThan(5 * (seconds + 3));
}

describe('three replicas send at most 20 calls in any second, and share slots again within 3 s, when Redis', () => {
  it('is killed and restarts empty without a pause', () =>
    expectSharingDuring(async () => {
      await redis.signal('SIGKILL');
      await redis.restart();
    }, 1));

  it('is killed and restarts empty after 3 s', () =>
    expectSharingDuring(async () => {
      await redis.signal('SIGKILL');
      await sleep(3000);
      await redis.restart();
    }));

  it('is stopped by SIGSTOP for 5 s', () =>
    expectSharingDuring(async () => {
      await redis.signal('SIGSTOP');
      await sleep(5000);
      await redis.signal('SIGCONT');
    }, 5));

  it('is paused for 2 s (CLIENT PAUSE)', () =>
    expectSharingDuring(async () => {
      await redis.command('CLIENT', 'PAUSE', '2000', 'ALL');
      await sleep(2000);
    }, 2));

  it('is emptied (FLUSHALL)', () => expectSharingDuring(() => redis.command('FLUSHALL'), 1));

  it('becomes a read-only replica, and then a master again', () =>
    expectSharingDuring(async () => {
      await redis.command('REPLICAOF', '127.0.0.1', String(standby.port));
      await sleep(1500);
      await redis.command('REPLICAOF', 'NO', 'ONE');
    }, 2));

  it('has no free memory for 1.5 s', () =>
    expectSharingDuring(async () => {
      await redis.command('CONFIG', 'SET', 'maxmemory', '1');
      await sleep(1500);
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }, 2));

  it('is unreachable for all replicas because of the network', () =>
    expectSharingDuring(async () => {
      proxy.disconnect();
      await sleep(2000);
      proxy.reconnect();
    }, 2));

  it('is killed, and its standby is promoted', async () => {
    await standby.command('REPLICAOF', '127.0.0.1', String(redis.port));
    while (!(await standby.command('INFO', 'replication')).includes('master_link_status:up')) await sleep(50);
    await expectSharingDuring(async () => {
      await redis.signal('SIGKILL');
      await standby.command('REPLICAOF', 'NO', 'ONE');
      proxy.reconnect(standby.port);
    }, 1);
    await redis.restart();
    proxy.reconnect(redis.port);
  });

  it('disconnects and connects, with one log entry for each connection and each reason of a loss', () => {
    const events = replicaSet.redisEvents();
    for (const replica of events) {
      const connections = replica.flatMap(({ event }, index) =>
        event === 'quota-redis-connected' ? [index] : [],
      );
      expect(connections[0]).toBe(0);
      expect(connections.length).toBeGreaterThanOrEqual(9);
      for (const [index, start] of connections.entries()) {
        const reasons = replica.slice(start + 1, connections[index + 1]).map(({ reason }) => reason);
        expect(new Set(reasons).size).toBe(reasons.length);
      }
    }
    const reasons = events.flat().flatMap(({ reason }) => reason ?? []);
    for (const reason of ['closed', 'timeout', 'not-a-member', 'READONLY', 'OOM'])
      expect(reasons).toContain(reason);
  });
});

describe('one of three replicas that alone loses its connection to Redis', () => {
  it('uses its fallback slots in addition to the shared slots, and shares again after it reconnects', async () => {
    const otherRedis = await RedisProcess.start();
    const [stableProxy, cutProxy] = [
      await TcpProxy.start(otherRedis.port),
      await TcpProxy.start(otherRedis.port),
    ];
    const threeReplicas = await ReplicaSet.start(2, { REDIS_URL: `redis://${stableProxy.host}` });
    await threeReplicas.addReplica({ REDIS_URL: `redis://${cutProxy.host}` });
    await threeReplicas.sendAtRate(20, 6, { prefer: 'wait=2' });
    const flood = threeReplicas.sendAtRate(100, 9, { prefer: 'wait=1' });
    await sleep(500);
    cutProxy.disconnect();
    await sleep(5000);
    cutProxy.reconnect();
    expect(await threeReplicas.waitForRedis(3000)).toBe(true);
    await flood;
    const fallbackSlots = Math.floor(QUOTA / 3);
    expect(threeReplicas.peakPerSecond).toBeLessThanOrEqual(QUOTA + fallbackSlots);
    expect(threeReplicas.redisEvents()[2]).toContainEqual(
      expect.objectContaining({ event: 'quota-redis-disconnected', fallbackSlots }),
    );
    threeReplicas.sandbox.clearReceivedRequests();
    await threeReplicas.sendAtRate(100, 3);
    expect(threeReplicas.recentPeakPerSecond).toBeLessThanOrEqual(QUOTA);
    await threeReplicas.close();
    await Promise.all([stableProxy.close(), cutProxy.close(), otherRedis.close()]);
  });
});

describe('a replica that has never reached Redis', () => {
  it('rejects calls with 503 without a wait', async () => {
    await replicaSet.addReplica({ REDIS_URL: 'redis://127.0.0.1:9' });
    const url = replicaSet.urls.at(-1)!;
    // The first call waits until slots are granted after start.
    await replicaSet.callReplica(url);
    const { status, body, headers } = await replicaSet.callReplica(url, { prefer: 'wait=30' });
    expect({ status, ...body }).toMatchObject({
      status: 503,
      code: 'quota-unavailable',
      outcome: 'not-sent',
    });
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
  });
});
