import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { send } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { ReplicaSet } from '../support/replica-set.js';
import { RedisProcess } from '../support/redis.js';

const QUOTA = 20;
/** Of each of three replicas: 20 / 3. */
const FALLBACK_SLOTS = 6;
const STEP_INTERVAL_MS = 2000;
const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
});

async function startReplicas(size: number, redis: RedisProcess): Promise<ReplicaSet> {
  cleanups.push(() => redis.close());
  const replicaSet = await ReplicaSet.start(size, { REDIS_URL: redis.url });
  cleanups.push(() => replicaSet.close());
  expect(await replicaSet.waitForRedis(10_000)).toBe(true);
  return replicaSet;
}

const keyOf = (replicaSet: ReplicaSet): string =>
  `ingest-gateway:{${new URL(replicaSet.sandbox.httpUrl).host}/StopStreamIngest}:quota`;

async function serverTime(redis: RedisProcess): Promise<number> {
  return Number(/\r\n(\d+)\r\n/.exec(await redis.command('TIME'))![1]);
}

async function stop(url: string): Promise<unknown> {
  const { body } = await send(url, '/ingest-tasks/ended', { headers: { prefer: 'wait=10' } });
  return body!['status'];
}

describe('three replicas under full load', () => {
  it('send at most 20 calls in any second and let no call hang while the clock of Redis steps by 1 s, 5 s and 10 min', async () => {
    const redis = await RedisProcess.startWithFakeClock();
    const replicaSet = await startReplicas(3, redis);
    const steps = [1, 0, -1, 0, 5, 0, -5, 0, 600, 0, -600, 0];
    const flood = replicaSet.sendAtRate(60, 4 + (steps.length * STEP_INTERVAL_MS) / 1000, {
      prefer: 'wait=1',
    });
    await sleep(3000);
    for (const seconds of steps) {
      redis.stepClock(seconds);
      const difference = (await serverTime(redis)) - Date.now() / 1000;
      expect(Math.abs(difference - seconds)).toBeLessThan(2);
      const before = replicaSet.sandbox.state().statistics.stopCalls;
      await sleep(STEP_INTERVAL_MS);
      await eventually(() => replicaSet.sandbox.state().statistics.stopCalls > before);
    }
    const responses = await flood;
    expect(replicaSet.unexpectedExits).toEqual([]);
    // A busy machine can stop a replica for so long that a command takes 250 ms. Then it alone has lost Redis, and uses its
    // fallback slots on top of the 20 of the others.
    const cutOff = replicaSet
      .redisEvents()
      .filter((events) => events.some(({ reason }) => reason !== undefined));
    expect(replicaSet.peakPerSecond).toBeLessThanOrEqual(QUOTA + cutOff.length * FALLBACK_SLOTS);
    expect(responses.some(({ status }) => status === 200)).toBe(true);
    // Each call waits for 1 s at most. The rest is for a busy machine.
    expect(Math.max(...responses.map(({ durationMs }) => durationMs))).toBeLessThan(20_000);
  });
});

describe('a replica that starts while the clock of Redis is 20 minutes slow', () => {
  it('knows the tasks that ended before', async () => {
    const redis = await RedisProcess.startWithFakeClock();
    redis.stepClock(-1200);
    const replicaSet = await startReplicas(1, redis);
    await eventually(async () => (await stop(replicaSet.urls[0]!)) === 'already-finished');
    await replicaSet.addReplica();
    // The new replica reads the ended tasks while this call waits for the end of the startup delay.
    await replicaSet.callReplica(replicaSet.urls[1]!, { prefer: 'wait=30' });
    const { stopCalls } = replicaSet.sandbox.state().statistics;
    expect(await stop(replicaSet.urls[1]!)).toBe('already-finished');
    expect(replicaSet.sandbox.state().statistics.stopCalls).toBe(stopCalls);
  });
});

describe('a replica that finds a stored time that lies 10 minutes ahead', () => {
  it('serves its first call after the warm-up of a new store, at most', async () => {
    const redis = await RedisProcess.start();
    const replicaSet = await startReplicas(1, redis);
    const clock = /\r\n(\d+)/.exec(await redis.command('HGET', keyOf(replicaSet), 'clock'))![1];
    const ahead = String(Number(clock) + 600_000);
    await redis.command(
      'HSET',
      keyOf(replicaSet),
      'warmupUntil',
      ahead,
      'reducedTo',
      '1',
      'reducedAt',
      ahead,
    );
    await replicaSet.addReplica();
    // On a busy machine, a replica may lose its connection and reject calls meanwhile.
    await eventually(async () => {
      const { status } = await replicaSet.callReplica(replicaSet.urls[1]!, { prefer: 'wait=10' });
      return status === 200;
    });
    expect(replicaSet.unexpectedExits).toEqual([]);
  });
});

describe('a replica whose store contains data that no script wrote', () => {
  it.each([
    ['a lease without a time', ['HSET', 'slot:a/1', 'garbage']],
    ['a clock that is not a number', ['HSET', 'clock', 'nan']],
    ['a demand with too few fields', ['HSET', 'demand:anonymous', '1 2 3']],
    ['a member with too many fields', ['HSET', 'member:a', '1 2 3 4 5 6 7']],
    ['a field of an unknown kind', ['HSET', 'newUntil', '']],
    ['a string in place of the hash', ['SET', 'garbage']],
  ])('deletes it, reports it, and serves calls again: %s', async (_, [command, ...values]) => {
    const redis = await RedisProcess.start();
    const replicaSet = await startReplicas(1, redis);
    await redis.command(command!, keyOf(replicaSet), ...values);
    await eventually(() => replicaSet.redisEvents()[0]!.some(({ reason }) => reason === 'invalid-data'));
    expect(await replicaSet.waitForRedis(10_000)).toBe(true);
    expect((await replicaSet.call({ prefer: 'wait=30' })).status).toBe(200);
    expect(await redis.command('TYPE', keyOf(replicaSet))).toBe('+hash\r\n');
    expect(replicaSet.unexpectedExits).toEqual([]);
  });
});
