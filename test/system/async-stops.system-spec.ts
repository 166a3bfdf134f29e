import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { send, stopTask } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { ReplicaSet } from '../support/replica-set.js';
import { RedisProcess } from '../support/redis.js';

const QUOTA = 20;
const SDK_APP_ID = 1400000001;
const REPLICAS = 3;
const STOPS = 2000;
const KILL_INTERVAL_MS = 3000;
const OUTAGE_MS = 10_000;
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

interface Submitted {
  /** Undefined if the stop was synchronous. */
  readonly location: string | undefined;
  /** Whether an earlier request, whose response was lost, may have been accepted and executed as well. */
  readonly isRepeated: boolean;
}

/** Submits a stop to one replica after the other until one accepts it. */
async function submit(replicaSet: ReplicaSet, taskId: string): Promise<Submitted> {
  for (let isRepeated = false; ; isRepeated = true) {
    const [url] = replicaSet.urls.toSorted(() => Math.random() - 0.5);
    const response = await stopTask(url!, taskId, '', { prefer: 'respond-async' }).catch(() => undefined);
    if (response?.status === 202) return { location: response.headers.location!, isRepeated };
    // Without a backlog the stop was synchronous: it is not one of those that the test is about.
    if (response?.status === 200) return { location: undefined, isRepeated };
    await sleep(100);
  }
}

async function read(replicaSet: ReplicaSet, location: string): Promise<Record<string, unknown>> {
  for (;;) {
    const [url] = replicaSet.urls.toSorted(() => Math.random() - 0.5);
    const response = await send(url!, location, { method: 'GET' }).catch(() => undefined);
    if (response?.status === 200) return response.body!;
    if (response?.status === 404) return { status: 'lost' };
    await sleep(100);
  }
}

describe('accepted stops', () => {
  it('all finish and are reported correctly although replicas, Redis and the cloud fail', async () => {
    const redis = await RedisProcess.start(...DURABLE);
    const replicaSet = await ReplicaSet.start(REPLICAS, { REDIS_URL: redis.url }, 20);
    const { sandbox } = replicaSet;
    const over = new AbortController();
    let killed: Promise<void> | undefined;
    try {
      const tasks = Array.from({ length: STOPS }, (_, index) => `relay-${index}`);
      for (const taskId of tasks) sandbox.putTask({ sdkAppId: SDK_APP_ID, taskId, status: 'running' });
      const random = [
        { fault: { kind: 'error', code: 'InternalError' }, times: 'always', probability: 0.02 },
        {
          fault: { kind: 'reset', at: 'before-headers' },
          times: 'always',
          probability: 0.02,
          effect: 'after',
        },
        { fault: { kind: 'reset', at: 'before-headers' }, times: 'always', probability: 0.02 },
        { fault: { kind: 'status', status: 502 }, times: 'always', probability: 0.01, effect: 'after' },
      ] as const;
      sandbox.setFaults(random);

      const submissions: Submitted[] = [];
      const submitted = (async () => {
        for (let start = 0; start < STOPS; start += 50)
          await Promise.all(
            tasks.slice(start, start + 50).map(async (taskId) => {
              submissions.push(await submit(replicaSet, taskId));
            }),
          );
      })();
      killed = (async () => {
        while (!over.signal.aborted) {
          await sleep(KILL_INTERVAL_MS);
          if (over.signal.aborted) return;
          await replicaSet.stopOldest('SIGKILL');
          await replicaSet.addReplica();
        }
      })();
      const disrupted = (async () => {
        for (const afterMs of [10_000, 20_000]) {
          await sleep(afterMs);
          await redis.signal('SIGKILL');
          await sleep(2000);
          await redis.restart();
        }
        await sleep(5000);
        sandbox.setFaults([{ fault: { kind: 'reset', at: 'before-headers' }, times: 'always' }]);
        await sleep(OUTAGE_MS);
        sandbox.setFaults(random);
      })();
      await submitted;
      await disrupted;
      const unfinished = (): number => sandbox.tasks().filter(({ status }) => status !== 'finished').length;
      await eventually(() => unfinished() === 0, 400_000);
      over.abort();
      await killed;

      const accepted = submissions.filter(({ location }) => location !== undefined);
      const statuses: Record<string, number> = {};
      for (const { location, isRepeated } of accepted) {
        let status = 'pending';
        await eventually(async () => {
          status = String((await read(replicaSet, location!))['status']);
          return status !== 'pending';
        }, 60_000);
        // A repeated stop is a second one if the first has finished in between.
        const isSecond = isRepeated && status === 'already-finished';
        const counted = isSecond ? 'second' : status;
        statuses[counted] = (statuses[counted] ?? 0) + 1;
      }
      const { second = 0, ...others } = statuses;
      expect(others).toEqual({ stopped: accepted.length - second });
      expect(accepted.length).toBeGreaterThan(STOPS / 2);
      expect(second).toBeLessThan(STOPS / 20);
      expect(replicaSet.peakPerSecond).toBeLessThanOrEqual(QUOTA);
      expect(replicaSet.unexpectedExits).toEqual([]);
    } finally {
      over.abort();
      // It may be starting a replica.
      await killed;
      await replicaSet.close();
      await redis.close();
    }
  }, 700_000);
});
