import { expect, it } from '@jest/globals';
import type { PinoLogger } from 'nestjs-pino';
import { Quota } from '#libs/quota';
import type { IngestTasksService } from '../ingest-tasks/ingest-tasks.service.js';
import type { AsyncStop } from '../ingest-tasks/stop-backlog.js';
import { Lifecycle } from '../lifecycle/lifecycle.js';
import { systemClock } from '../time/system-clock.js';
import type { AsyncStopsMetrics } from './async-stops-metrics.js';
import { AsyncStopsService, type BacklogStorage } from './async-stops.service.js';
import type { PendingRecord } from './stop-record.js';

const TASK = { taskId: 'task', sdkAppId: 1400000001, region: 'ap-singapore' };

const PENDING: AsyncStop = {
  ...TASK,
  id: 'stop',
  status: 'pending',
  attempts: 0,
  createdAt: '2026-01-31T12:00:00.000Z',
};

/** A Redis that fails between the storage of a result and its next command. */
function createStorage(onGet: (isFinished: boolean) => void): BacklogStorage {
  let added: PendingRecord | undefined;
  let isTaken = false;
  let isFinished = false;
  const store = {
    add: async (_: string, record: PendingRecord) => {
      added = record;
      return PENDING;
    },
    nextDueAt: async () => (added && !isTaken ? 0 : Infinity),
    take: async (caller: string) => {
      isTaken = true;
      return { id: PENDING.id, caller, record: added, mayHaveStopped: false, token: 'token' };
    },
    finish: async () => {
      isFinished = true;
      return true;
    },
    get: async () => {
      onGet(isFinished);
      throw new Error('Connection is closed.');
    },
    pending: async () => [{ caller: 'a', count: 1, oldestCreatedAt: 0 }],
    recover: async () => {},
    close: () => {},
  };
  const clock = { isSynchronized: true, now: () => performance.now(), synchronize: async () => {} };
  const redis = { on: () => {}, connect: async () => {} };
  return { redis, store, clock } as unknown as BacklogStorage;
}

it('waits for a result without blocking the event loop if Redis fails after the result was stored', async () => {
  const reads: boolean[] = [];
  const storage = createStorage((isFinished) => reads.push(isFinished));
  const upstream = { requestId: 'r' };
  const tasks = { stopFromBacklog: async () => ({ result: 'stopped', upstream, details: { task: TASK } }) };
  const service = new AsyncStopsService(
    storage,
    tasks as unknown as IngestTasksService,
    new Quota({ perSecond: 20, clock: systemClock }),
    new Lifecycle(),
    { observeBacklog: () => {}, finished: () => {} } as unknown as AsyncStopsMetrics,
    { info: () => {} } as unknown as PinoLogger,
    { limitPerCaller: 1, ttlMs: 60_000 },
  );
  service.onApplicationBootstrap();
  const { signal } = new AbortController();
  const stop = await service.submit('a', {
    task: TASK,
    isSdkAppIdFromCaller: false,
    // The quota grants its first slot after 1.5 s.
    waitMs: 3000,
    signal: () => signal,
    parentSpan: undefined,
  });
  service.onApplicationShutdown();
  expect(stop).toEqual(PENDING);
  // One each 250 ms, and one after the notification.
  expect(reads.at(-1)).toBe(true);
  expect(reads.length).toBeLessThanOrEqual(14);
});
