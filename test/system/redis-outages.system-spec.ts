import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ReplicaSet } from '../support/replica-set.js';
import { RedisProcess, TcpProxy } from '../support/redis.js';

const QUOTA = 20;
const CALL_WAIT_MS = 1000;
let redis: RedisProcess;
let standby: RedisProcess;
let proxy: TcpProxy;
let replicaSet: ReplicaSet;

beforeAll(async () => {
  [redis, standby] = await Promise.all([RedisProcess.start(), RedisProcess.start()]);
  proxy = await TcpProxy.start(redis.port);
  replicaSet = await ReplicaSet.start(3, { REDIS_URL: proxy.url });
  // Until each replica has heard of the others, none has a part of its own.
  await replicaSet.sendAtRate(20, 4, { prefer: 'wait=2' });
});

afterAll(async () => {
  await replicaSet.close();
  await proxy.close();
  await Promise.all([redis.close(), standby.close()]);
});

/** Floods the replicas at several times the quota while something happens to Redis; within 3 s of its return all share again. */
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
    ...responses.filter(({ status }) => status !== 200).map(({ durationMs: tookMs }) => tookMs),
  );
  expect(slowest).toBeLessThanOrEqual(CALL_WAIT_MS + 500);
  // The parts alone, 18 of 20, would serve more than this; a call that waits for Redis would serve less.
  expect(responses.filter(({ status }) => status === 200).length).toBeGreaterThan(5 * (seconds + 3));
}

describe('three replicas never let more than 20 arrive in any second, and share the slots again within 3 s, when Redis', () => {
  it('is killed and comes back at once, empty', () =>
    expectSharingDuring(async () => {
      await redis.signal('SIGKILL');
      await redis.restart();
    }, 1));

  it('is killed and comes back after 3 s, empty', () =>
    expectSharingDuring(async () => {
      await redis.signal('SIGKILL');
      await sleep(3000);
      await redis.restart();
    }));

  it('stands still for 5 s', () =>
    expectSharingDuring(async () => {
      await redis.signal('SIGSTOP');
      await sleep(5000);
      await redis.signal('SIGCONT');
    }, 5));

  it('answers nobody for 2 s (CLIENT PAUSE)', () =>
    expectSharingDuring(async () => {
      await redis.command('CLIENT', 'PAUSE', '2000', 'ALL');
      await sleep(2000);
    }, 2));

  it('is emptied (FLUSHALL)', () => expectSharingDuring(() => redis.command('FLUSHALL'), 1));

  it('becomes a replica that takes no writes, and then a master again', () =>
    expectSharingDuring(async () => {
      await redis.command('REPLICAOF', '127.0.0.1', String(standby.port));
      await sleep(1500);
      await redis.command('REPLICAOF', 'NO', 'ONE');
    }, 2));

  it('has no memory left for a while', () =>
    expectSharingDuring(async () => {
      await redis.command('CONFIG', 'SET', 'maxmemory', '1');
      await sleep(1500);
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }, 2));

  it('is cut off by the network from all replicas', () =>
    expectSharingDuring(async () => {
      proxy.disconnect();
      await sleep(2000);
      proxy.reconnect();
    }, 2));

  it('dies, and its replica takes its place', async () => {
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

  it('is told in one line each time it goes and comes back', () => {
    const events = replicaSet.redisEvents();
    for (const replica of events) {
      const changes = replica.map(({ event }) => event);
      expect(changes[0]).toBe('quota-redis-connected');
      expect(changes.length).toBeGreaterThanOrEqual(1 + 2 * 9);
      changes.forEach((event, index) =>
        expect(event).toBe(index % 2 === 0 ? 'quota-redis-connected' : 'quota-redis-disconnected'),
      );
    }
    const reasons = events.flat().flatMap(({ reason }) => reason ?? []);
    for (const reason of ['closed', 'timeout', 'stranger', 'READONLY', 'OOM'])
      expect(reasons).toContain(reason);
  });
});

describe('one of three that is cut off from a Redis that the others reach', () => {
  it('spends its part on top of theirs, and no more; back again, it shares', async () => {
    const whole = await RedisProcess.start();
    const [near, far] = [await TcpProxy.start(whole.port), await TcpProxy.start(whole.port)];
    const three = await ReplicaSet.start(2, { REDIS_URL: near.url });
    await three.addReplica({ REDIS_URL: far.url });
    await three.sendAtRate(20, 6, { prefer: 'wait=2' });
    const flood = three.sendAtRate(100, 9, { prefer: 'wait=1' });
    await sleep(500);
    far.disconnect();
    await sleep(5000);
    far.reconnect();
    expect(await three.waitForRedis(3000)).toBe(true);
    await flood;
    const part = Math.floor(QUOTA / 3);
    expect(three.peakPerSecond).toBeLessThanOrEqual(QUOTA + part);
    expect(three.redisEvents()[2]).toContainEqual(
      expect.objectContaining({ event: 'quota-redis-disconnected', fallbackSlots: part }),
    );
    three.sandbox.clearReceivedRequests();
    await three.sendAtRate(100, 3);
    expect(three.recentPeakPerSecond).toBeLessThanOrEqual(QUOTA);
    await three.close();
    await Promise.all([near.close(), far.close(), whole.close()]);
  });
});

describe('without Redis', () => {
  it('a replica that never reached it refuses with 503, at once', async () => {
    await replicaSet.addReplica({ REDIS_URL: 'redis://127.0.0.1:9' });
    const lonely = replicaSet.urls.at(-1)!;
    // The first call waits for the hold after start.
    await replicaSet.callReplica(lonely);
    const { status, body, headers } = await replicaSet.callReplica(lonely, { prefer: 'wait=30' });
    expect({ status, ...body }).toMatchObject({
      status: 503,
      code: 'upstream-unavailable',
      outcome: 'not-sent',
    });
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
  });
});
