import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { RedisProcess } from '../../../../test/support/redis.js';
import type { FinishedRecord, PendingRecord } from './stop-record.js';
import { StopStore, type StopStoreOptions, type TakenStop } from './stop-store.js';

const KEEP_MS = 1000;
const LIMIT = 5;
const MAX_DELAY_MS = 60_000;

let server: RedisProcess;
let redis: Redis;
let prefix: string;
let number = 0;

beforeAll(async () => {
  server = await RedisProcess.start();
  redis = new Redis(server.url);
});

afterAll(async () => {
  redis.disconnect();
  await server.close();
});

beforeEach(() => {
  number += 1;
  prefix = `{test-${number}}:stops`;
});

/** Creates the store of one replica. */
function createStore(changes: Partial<StopStoreOptions> = {}): StopStore {
  return new StopStore(redis, {
    prefix,
    limitPerCaller: LIMIT,
    lockMs: 60_000,
    keepMs: KEEP_MS,
    keepCount: 3,
    maxDelayMs: MAX_DELAY_MS,
    ...changes,
  });
}

const pendingRecord = (taskId: string): PendingRecord => ({
  taskId,
  sdkAppId: 1400000001,
  region: 'ap-singapore',
  isSdkAppIdFromCaller: false,
  createdAt: '2026-01-31T12:00:00.000Z',
  acceptedAtMs: 0,
  attempts: 0,
  ineffectiveStarts: 0,
});

const finishedRecord = (finishedAtMs = 0): FinishedRecord => ({
  status: 'stopped',
  requestId: 'r',
  attempts: 1,
  finishedAt: '2026-01-31T12:00:01.000Z',
  finishedAtMs,
});

async function take(store: StopStore, caller = 'a'): Promise<TakenStop> {
  const taken = await store.take(caller);
  if (!taken) throw new Error('there is nothing to take');
  return taken;
}

async function countOf(store: StopStore, caller = 'a'): Promise<number> {
  return (await store.pending()).find((each) => each.caller === caller)?.count ?? 0;
}

/** The keys of the queue of a caller. */
const key = (name: string, caller = 'a'): string => `${prefix}:of-${caller}:${name}`;

/** Loses the lock of a stop, as if its replica had died, and lets another replica notice. */
async function loseLock(store: StopStore, { id }: TakenStop): Promise<void> {
  await redis.del(key(`${id}:lock`));
  // BullMQ checks no more often than this.
  for (let check = 0; check < 2; check += 1) {
    await redis.del(key('stalled-check'));
    await store.recover('a');
  }
}

describe('the limit of pending stops', () => {
  it('is exact, also if several replicas accept stops at the same moment', async () => {
    const stores = [createStore(), createStore(), createStore()];
    const tasks = Array.from({ length: 60 }, (_, index) => `task-${index}`);
    const added = await Promise.all(
      tasks.map((taskId, index) => stores[index % 3]!.add('a', pendingRecord(taskId))),
    );
    expect(added.filter((stop) => stop !== undefined)).toHaveLength(LIMIT);
    expect(await countOf(stores[0]!)).toBe(LIMIT);
  });

  it('does not count repeated stops, and has room again when a stop has finished', async () => {
    const store = createStore({ limitPerCaller: 1 });
    const first = await store.add('a', pendingRecord('task'));
    expect(await store.add('a', pendingRecord('task'))).toEqual(first);
    expect(await store.add('a', pendingRecord('other'))).toBeUndefined();
    await store.finish(await take(store), finishedRecord());
    expect(await store.add('a', pendingRecord('other'))).toMatchObject({ taskId: 'other' });
  });
});

describe('a stop that is requested by many at the same moment', () => {
  it('is stored once', async () => {
    const stores = [createStore(), createStore()];
    const requests = Array.from({ length: LIMIT }, (_, index) =>
      stores[index % 2]!.add('a', pendingRecord('task')),
    );
    const ids = (await Promise.all(requests)).map((stop) => stop?.id);
    expect(new Set(ids).size).toBe(1);
    expect(await countOf(stores[0]!)).toBe(1);
  });
});

describe('a stop whose replica has lost its lock', () => {
  it('is taken over, and may have been sent', async () => {
    const store = createStore();
    const { id } = (await store.add('a', pendingRecord('task')))!;
    expect(await store.nextDueAt('a')).toBe(0);
    const first = await take(store);
    expect(first).toMatchObject({ id, mayHaveStopped: false });
    expect(await store.take('a')).toBeUndefined();
    expect(await store.nextDueAt('a')).toBe(Infinity);
    await loseLock(store, first);
    expect(await take(createStore())).toMatchObject({ id, mayHaveStopped: true });
  });

  it('is finished by the first result, and another replica that executes it too has no effect', async () => {
    const [store, other] = [createStore(), createStore()];
    const { id } = (await store.add('a', pendingRecord('task')))!;
    const first = await take(store);
    await loseLock(other, first);
    const second = await take(other);
    expect(await store.finish(first, finishedRecord())).toBe(true);
    expect(await store.get('a', id)).toMatchObject({ status: 'stopped' });
    expect(await countOf(store)).toBe(0);
    const late = { ...finishedRecord(7), status: 'already-finished' } as const;
    expect(await other.finish(second, late)).toBe(false);
    await other.postpone(second, second.record, 0);
    await loseLock(other, second);
    expect(await store.get('a', id)).toMatchObject({ status: 'stopped' });
    expect(await store.take('a')).toBeUndefined();
  });

  it('stays pending if another replica has postponed it in the meantime', async () => {
    const [store, other] = [createStore(), createStore()];
    const { id } = (await store.add('a', pendingRecord('task')))!;
    const first = await take(store);
    await loseLock(other, first);
    const second = await take(other);
    await other.postpone(second, { ...second.record, ineffectiveStarts: 1 }, 0);
    expect(await store.finish(first, finishedRecord())).toBe(false);
    expect(await countOf(store)).toBe(1);
    // The result of the first execution is unknown to the next one.
    expect(await take(store)).toMatchObject({ id, mayHaveStopped: true });
  });

  it('is finished although the response to the first try was lost', async () => {
    const store = createStore();
    await store.add('a', pendingRecord('task'));
    const taken = await take(store);
    expect(await store.finish(taken, finishedRecord())).toBe(true);
    expect(await store.finish(taken, finishedRecord())).toBe(true);
  });
});

describe('a postponed stop', () => {
  it('is due after its delay, and knows the executions without an effect', async () => {
    const store = createStore();
    const { id } = (await store.add('a', pendingRecord('task')))!;
    const taken = await take(store);
    await store.postpone(taken, { ...taken.record, attempts: 1, ineffectiveStarts: 1 }, 60_000);
    expect(await store.take('a')).toBeUndefined();
    const dueAt = await store.nextDueAt('a');
    expect(dueAt - Date.now()).toBeGreaterThan(50_000);
    expect(dueAt - Date.now()).toBeLessThanOrEqual(60_000);
    expect(await store.get('a', id)).toMatchObject({ status: 'pending', attempts: 1 });
    await store.recover('a');
    expect(await store.take('a')).toBeUndefined();
    await store.add('a', pendingRecord('other'));
    expect(await store.nextDueAt('a')).toBe(0);
  });

  it('is due at once if a replica with a wrong clock has postponed it far into the future', async () => {
    const store = createStore();
    const { id } = (await store.add('a', pendingRecord('task')))!;
    const taken = await take(store);
    await store.postpone(taken, { ...taken.record, ineffectiveStarts: 1 }, 24 * 60 * 60 * 1000);
    expect(await store.take('a')).toBeUndefined();
    await store.recover('a');
    expect(await take(store)).toMatchObject({ id, mayHaveStopped: false });
  });
});

const setFull = (isFull: boolean): Promise<unknown> =>
  redis.config('SET', 'maxmemory', isFull ? '1' : '0', 'maxmemory-policy', 'noeviction');

describe('a Redis whose memory is full', () => {
  afterEach(() => setFull(false));

  it('stores no stop, and accepts the same one when it has memory again', async () => {
    const store = createStore();
    await setFull(true);
    await expect(store.add('a', pendingRecord('task'))).rejects.toThrow('OOM');
    await setFull(false);
    expect(await store.add('a', pendingRecord('task'))).toMatchObject({ taskId: 'task' });
    expect(await countOf(store)).toBe(1);
  });

  it('loses no result that it cannot store at once', async () => {
    const store = createStore();
    const { id } = (await store.add('a', pendingRecord('task')))!;
    const taken = await take(store);
    await setFull(true);
    await expect(store.finish(taken, finishedRecord())).rejects.toThrow('discarded');
    await setFull(false);
    expect(await store.finish(taken, finishedRecord())).toBe(true);
    expect(await store.get('a', id)).toMatchObject({ status: 'stopped' });
    expect(await countOf(store)).toBe(0);
  });

  it('loses no stop that is waiting, postponed, or due again', async () => {
    const store = createStore();
    const tasks = ['waiting', 'due', 'postponed'];
    for (const taskId of tasks.toReversed()) await store.add('a', pendingRecord(taskId));
    const [postponed, due] = [await take(store), await take(store)];
    await store.postpone(due, due.record, 1);
    await sleep(10);
    await setFull(true);
    // Redis may execute some of them: it rejects a script only before its first change.
    await store.postpone(postponed, postponed.record, 1).catch(() => {});
    const early = await store.take('a').catch(() => undefined);
    await setFull(false);
    await store.postpone(postponed, postponed.record, 1);
    await sleep(10);
    const taken = early ? [early] : [];
    while (taken.length < tasks.length) taken.push(await take(store));
    expect(taken.map(({ record }) => record.taskId).toSorted()).toEqual(tasks.toSorted());
  });
});

describe('data in Redis that no replica wrote', () => {
  it.each([
    ['no record', { data: 'garbage' }],
    ['another record', { data: '{"taskId":7}' }],
    ['too long a record', { data: JSON.stringify({ ...pendingRecord('task'), filler: 'x'.repeat(9000) }) }],
  ])('is removed instead of the stop with %s, and the next stop can be taken', async (_, fields) => {
    const store = createStore();
    const { id } = (await store.add('a', pendingRecord('broken')))!;
    await redis.hset(key(id), fields);
    await store.add('a', pendingRecord('next'));
    expect(await store.take('a')).toBeUndefined();
    expect(await take(store)).toMatchObject({ record: { taskId: 'next' } });
    expect(await store.get('a', id)).toBeUndefined();
    expect(await countOf(store)).toBe(1);
  });

  it('does not end a list, and a list does not contain it', async () => {
    const store = createStore();
    const { id } = (await store.add('a', pendingRecord('broken')))!;
    await store.add('a', pendingRecord('next'));
    await redis.hset(key(id), 'data', 'garbage');
    await redis.zadd(key('pending'), 0, 'garbage');
    const { stops } = await store.list('a', { status: 'pending', limit: 10, cursor: undefined });
    expect(stops.map(({ taskId }) => taskId)).toEqual(['next']);
    expect(await store.pending()).toEqual([{ caller: 'a', count: 3, oldestCreatedAt: expect.any(Number) }]);
  });
});

async function finishAll(store: StopStore, finishedAt: readonly number[]): Promise<void> {
  for (const [index, at] of finishedAt.entries()) {
    await store.add('a', pendingRecord(`task-${index}`));
    await store.finish(await take(store), finishedRecord(at));
  }
}

const finishedTasks = async (store: StopStore): Promise<string[]> =>
  (await store.list('a', { status: 'stopped', limit: 10, cursor: undefined })).stops.map(
    ({ taskId }) => taskId,
  );

describe('a sweep', () => {
  it('removes the oldest finished stops that are too many', async () => {
    const store = createStore();
    await finishAll(store, [0, 0, 0, 0, 0]);
    await store.sweep(0, 0);
    expect(await finishedTasks(store)).toEqual(['task-4', 'task-3', 'task-2']);
  });

  it('removes the finished stops that are too old, with all of their keys', async () => {
    const store = createStore();
    await finishAll(store, [0, 500]);
    await store.sweep(KEEP_MS, 0);
    expect(await finishedTasks(store)).toHaveLength(2);
    await store.sweep(KEEP_MS + 1, 0);
    expect(await finishedTasks(store)).toEqual(['task-1']);
    await store.sweep(KEEP_MS + 501, 0);
    expect(await finishedTasks(store)).toEqual([]);
    const left = (await redis.keys(`${prefix}:*`)).map((name) => name.slice(prefix.length + 1));
    // These are small, whatever the number of stops.
    const ofQueue = new Set(['events', 'id', 'marker', 'meta'].map((name) => `of-a:${name}`));
    expect(left.filter((name) => !ofQueue.has(name))).toEqual([]);
  });

  it('keeps a caller with pending stops, and forgets it with its last one', async () => {
    const store = createStore();
    await store.add('a', pendingRecord('task'));
    await store.sweep(0, 0);
    expect(await countOf(store)).toBe(1);
    await store.finish(await take(store), finishedRecord());
    await store.sweep(0, 0);
    expect(await store.pending()).toEqual([]);
  });

  it('removes a stop from the index that does not exist, when it can no longer be about to be stored', async () => {
    const store = createStore();
    const { id } = (await store.add('a', pendingRecord('task')))!;
    await redis.del(key(id), key('wait'));
    for (const now of [0, 60_000]) {
      await store.sweep(0, now);
      expect(await countOf(store)).toBe(1);
    }
    await store.sweep(0, 60_001);
    expect(await countOf(store)).toBe(0);
  });

  it('removes a finished stop from the index whose replica died before it could', async () => {
    const store = createStore();
    const { id } = (await store.add('a', pendingRecord('task')))!;
    await store.finish(await take(store), finishedRecord());
    await redis.zadd(key('pending'), 0, id);
    await redis.sadd(`${prefix}:callers`, 'a');
    await store.sweep(0, 0);
    expect(await store.pending()).toEqual([]);
  });
});

describe('a list', () => {
  it('has each stop once, in pages', async () => {
    const store = createStore({ limitPerCaller: 100 });
    const tasks = Array.from({ length: 7 }, (_, index) => `task-${index}`);
    for (const taskId of tasks) await store.add('a', pendingRecord(taskId));
    for (let count = 0; count < 4; count += 1) await store.finish(await take(store), finishedRecord());
    const listed: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await store.list('a', { status: undefined, limit: 2, cursor });
      listed.push(...page.stops.map(({ taskId }) => taskId));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(listed.toSorted()).toEqual(tasks);
    // The pending ones are first. Those of the same millisecond have no order.
    expect(listed.slice(0, 3).toSorted()).toEqual(['task-4', 'task-5', 'task-6']);
  });

  it('continues with the finished stops on the page with the last pending one', async () => {
    const store = createStore();
    for (const taskId of ['first', 'second']) await store.add('a', pendingRecord(taskId));
    await store.finish(await take(store), finishedRecord());
    const { stops, nextCursor } = await store.list('a', { status: undefined, limit: 10, cursor: undefined });
    expect(stops.map(({ taskId }) => taskId)).toEqual(['second', 'first']);
    expect(nextCursor).toBeUndefined();
  });

  it('contains no stop of another caller, whatever the names are', async () => {
    const store = createStore();
    const callers = ['a', 'a:b', 'a%3Ab', 'ä {}*', ' '];
    for (const caller of callers) await store.add(caller, pendingRecord(`task of ${caller}`));
    for (const caller of callers) {
      const { stops } = await store.list(caller, { status: undefined, limit: 10, cursor: undefined });
      expect(stops.map(({ taskId }) => taskId)).toEqual([`task of ${caller}`]);
    }
  });
});
