import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Fleet } from './support/fleet.js';
import { RedisProcess, RedisWay } from './support/redis.js';

const QUOTA = 20;
const PATIENCE_MS = 1000;
let redis: RedisProcess;
let standby: RedisProcess;
let way: RedisWay;
let fleet: Fleet;

beforeAll(async () => {
  [redis, standby] = await Promise.all([RedisProcess.start(), RedisProcess.start()]);
  way = await RedisWay.to(redis.port);
  fleet = await Fleet.start(3, { REDIS_URL: way.url });
  // Until each replica has heard of the others, none has a part of its own.
  await fleet.flood(20, 4, { prefer: 'wait=2' });
});

afterAll(async () => {
  await fleet.close();
  await way.close();
  await Promise.all([redis.close(), standby.close()]);
});

/** Floods the replicas at several times the quota while something happens to Redis; within 3 s of its return all share again. */
async function through(happens: () => Promise<unknown>, seconds = 3): Promise<void> {
  const flood = fleet.flood(80, 1 + seconds + 3, { prefer: 'wait=1' });
  await sleep(1000);
  await happens();
  expect(await fleet.found(3000)).toBe(true);
  const answers = await flood;
  expect(fleet.deaths).toEqual([]);
  expect(fleet.mostInAnySecond).toBeLessThanOrEqual(QUOTA);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
  const slowest = Math.max(...answers.filter(({ status }) => status !== 200).map(({ tookMs }) => tookMs));
  expect(slowest).toBeLessThanOrEqual(PATIENCE_MS + 500);
  // The parts alone, 18 of 20, would serve more than this; a call that waits for Redis would serve less.
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(5 * (seconds + 3));
}

describe('three replicas never let more than 20 arrive in any second, and share the slots again within 3 s, when Redis', () => {
  it('is killed and comes back at once, empty', () =>
    through(async () => {
      await redis.signal('SIGKILL');
      await redis.startAgain();
    }, 1));

  it('is killed and comes back after 3 s, empty', () =>
    through(async () => {
      await redis.signal('SIGKILL');
      await sleep(3000);
      await redis.startAgain();
    }));

  it('stands still for 5 s', () =>
    through(async () => {
      await redis.signal('SIGSTOP');
      await sleep(5000);
      await redis.signal('SIGCONT');
    }, 5));

  it('answers nobody for 2 s (CLIENT PAUSE)', () =>
    through(async () => {
      await redis.command('CLIENT', 'PAUSE', '2000', 'ALL');
      await sleep(2000);
    }, 2));

  it('is emptied (FLUSHALL)', () => through(() => redis.command('FLUSHALL'), 1));

  it('becomes a replica that takes no writes, and then a master again', () =>
    through(async () => {
      await redis.command('REPLICAOF', '127.0.0.1', String(standby.port));
      await sleep(1500);
      await redis.command('REPLICAOF', 'NO', 'ONE');
    }, 2));

  it('has no memory left for a while', () =>
    through(async () => {
      await redis.command('CONFIG', 'SET', 'maxmemory', '1');
      await sleep(1500);
      await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    }, 2));

  it('is cut off by the network from all replicas', () =>
    through(async () => {
      way.cut();
      await sleep(2000);
      way.mend();
    }, 2));

  it('dies, and its replica takes its place', async () => {
    await standby.command('REPLICAOF', '127.0.0.1', String(redis.port));
    while (!(await standby.command('INFO', 'replication')).includes('master_link_status:up')) await sleep(50);
    await through(async () => {
      await redis.signal('SIGKILL');
      await standby.command('REPLICAOF', 'NO', 'ONE');
      way.mend(standby.port);
    }, 1);
    await redis.startAgain();
    way.mend(redis.port);
  });

  it('is told in one line each time it goes and comes back', () => {
    const events = fleet.storeEvents();
    for (const replica of events) {
      const changes = replica.map(({ event }) => event);
      expect(changes[0]).toBe('quota-store-up');
      expect(changes.length).toBeGreaterThanOrEqual(1 + 2 * 9);
      changes.forEach((event, index) =>
        expect(event).toBe(index % 2 === 0 ? 'quota-store-up' : 'quota-store-down'),
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
    const [near, far] = [await RedisWay.to(whole.port), await RedisWay.to(whole.port)];
    const three = await Fleet.start(2, { REDIS_URL: near.url });
    await three.grow({ REDIS_URL: far.url });
    await three.flood(20, 6, { prefer: 'wait=2' });
    const flood = three.flood(100, 9, { prefer: 'wait=1' });
    await sleep(500);
    far.cut();
    await sleep(5000);
    far.mend();
    expect(await three.found(3000)).toBe(true);
    await flood;
    const part = Math.floor(QUOTA / 3);
    expect(three.mostInAnySecond).toBeLessThanOrEqual(QUOTA + part);
    expect(three.storeEvents()[2]).toContainEqual(
      expect.objectContaining({ event: 'quota-store-down', part }),
    );
    three.sandbox.clearReceivedRequests();
    await three.flood(100, 3);
    expect(three.mostInAnySecondOfLate).toBeLessThanOrEqual(QUOTA);
    await three.close();
    await Promise.all([near.close(), far.close(), whole.close()]);
  });
});

describe('without Redis', () => {
  it('a replica that never reached it refuses with 503, at once', async () => {
    await fleet.grow({ REDIS_URL: 'redis://127.0.0.1:9' });
    const lonely = fleet.urls.at(-1)!;
    // The first call waits for the hold after start.
    await fleet.callAt(lonely);
    const { status, body, headers } = await fleet.callAt(lonely, { prefer: 'wait=30' });
    expect({ status, ...body }).toMatchObject({
      status: 503,
      code: 'upstream-unavailable',
      outcome: 'not-sent',
    });
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
  });
});
