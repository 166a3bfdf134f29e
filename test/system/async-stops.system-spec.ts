import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { bearerHeader, callerEntry } from '../support/callers-file.js';
import { send, stopTask } from '../support/client.js';
import { runCrashScenario } from '../support/crash-scenario.js';
import { eventually } from '../support/eventually.js';
import { readMetric } from '../support/metrics.js';
import { RedisCluster } from '../support/redis-cluster.js';
import { RedisProcess } from '../support/redis.js';
import { ReplicaSet } from '../support/replica-set.js';
import { createTempFolder, replaceFileAtomically, type TempFolder } from '../support/temp-folder.js';

const QUOTA = 20;
const ASYNC = { prefer: 'respond-async' };

describe('accepted stops', () => {
  it('all finish and are reported correctly although replicas, Redis and the cloud fail', async () => {
    const stops = 2000;
    const report = await runCrashScenario({ stops, outageMs: 60_000 });
    const { accepted, repeated, results, running, peakPerSecond, unexpectedExits } = report;
    expect(results).toEqual({ stopped: accepted - repeated });
    expect({ running, unexpectedExits }).toEqual({ running: 0, unexpectedExits: [] });
    expect(peakPerSecond).toBeLessThanOrEqual(QUOTA);
    expect(accepted).toBeGreaterThan(stops / 2);
    expect(repeated).toBeLessThan(stops / 20);
  }, 700_000);
});

describe('a large backlog over three replicas', () => {
  const BACKLOG = 6000;
  /** A replica collects garbage when it gets this signal, so that its heap contains only what it uses. */
  const GC_SIGNAL = 'SIGUSR2';
  const NODE_ARGUMENTS = ['--expose-gc', `--import=data:text/javascript,process.on('${GC_SIGNAL}',()=>gc())`];
  const LARGE = bearerHeader('large-key');
  const SMALL = bearerHeader('small-key');
  let folder: TempFolder;
  let redis: RedisProcess;
  let replicaSet: ReplicaSet;
  let submitted = 0;
  let heapsBefore: number[];
  let heapsAfter: number[];

  beforeAll(async () => {
    folder = await createTempFolder();
    const callers = [callerEntry('large', 'large-key'), callerEntry('small', 'small-key')];
    await replaceFileAtomically(`${folder.path}/callers.json`, JSON.stringify(callers));
    redis = await RedisProcess.start();
    const variables = {
      REDIS_URL: redis.url,
      ALLOW_ANONYMOUS: '',
      CALLERS_FILE: `${folder.path}/callers.json`,
    };
    replicaSet = await ReplicaSet.start(3, variables, 20, NODE_ARGUMENTS);
    for (const url of replicaSet.urls)
      await eventually(async () => (await submit(url, 'warm', LARGE)).status === 202);
    // Loads the code, and fills the caches of the runtime.
    await submitMany(3000);
    heapsBefore = await heaps();
    await submitMany(BACKLOG);
    heapsAfter = await heaps();
  }, 120_000);

  afterAll(async () => {
    await replicaSet.close();
    await redis.close();
    await folder.remove();
  });

  const submit = (url: string, prefix: string, key: typeof LARGE) => {
    submitted += 1;
    return stopTask(url, `${prefix}-${submitted}`, '', { ...ASYNC, ...key });
  };

  /** One replica accepts all of them, so that it would have all of them in its memory. */
  async function submitMany(count: number): Promise<void> {
    const [url] = replicaSet.urls;
    for (let start = 0; start < count; start += 50) {
      const calls = Array.from({ length: 50 }, () => submit(url!, 'large', LARGE));
      const responses = await Promise.all(calls);
      expect(responses.filter(({ status }) => status !== 202)).toEqual([]);
    }
  }

  const pendingCount = (): Promise<number> =>
    readMetric(replicaSet.urls[0]!, 'ingest_gateway_async_stops_pending{caller="large"}');

  /** The smallest heap of each replica after some garbage collections. */
  async function heaps(): Promise<number[]> {
    const smallest = replicaSet.urls.map(() => Infinity);
    for (let collection = 0; collection < 5; collection += 1) {
      replicaSet.signal(GC_SIGNAL);
      for (const [index, url] of replicaSet.urls.entries())
        smallest[index] = Math.min(smallest[index]!, await readMetric(url, 'nodejs_heap_size_used_bytes'));
    }
    return smallest;
  }

  const requestsFor = (prefix: string): number =>
    replicaSet.sandbox.receivedRequests().filter(({ taskId }) => String(taskId).startsWith(prefix)).length;

  it('drains at 0.95 or more of the rate that the quota rule allows', async () => {
    replicaSet.sandbox.clearReceivedRequests();
    await eventually(() => requestsFor('large') >= 500, 60_000);
    const times = replicaSet.sandbox.receivedRequests().map(({ receivedAtMs }) => receivedAtMs);
    const perSecond = ((times.length - 1) * 1000) / (times.at(-1)! - times[0]!);
    const allowed = QUOTA / (1 + (await replicaSet.averageUpstreamSeconds()));
    expect(perSecond / allowed).toBeGreaterThanOrEqual(0.95);
    expect(replicaSet.peakPerSecond).toBeLessThanOrEqual(QUOTA);
  }, 120_000);

  it('does not delay ten stops of another caller by more than their fair share', async () => {
    replicaSet.sandbox.clearReceivedRequests();
    await Promise.all(Array.from({ length: 10 }, () => submit(replicaSet.urls[0]!, 'small', SMALL)));
    await eventually(() => requestsFor('small') === 10);
    // With equal shares, the other caller has 10 in the same time, and 30 when everything takes twice as long.
    const [last] = replicaSet.sandbox
      .receivedRequests()
      .filter(({ taskId }) => String(taskId).startsWith('small'))
      .slice(-1);
    const others = replicaSet.sandbox
      .receivedRequests()
      .filter(
        ({ taskId, receivedAtMs }) => String(taskId).startsWith('large') && receivedAtMs < last!.receivedAtMs,
      );
    expect(others.length).toBeLessThanOrEqual(30);
  });

  it('is not in the memory of a replica', async () => {
    expect(await pendingCount()).toBeGreaterThan(BACKLOG);
    const growth = heapsAfter.map((bytes, index) => (bytes - heapsBefore[index]!) / BACKLOG);
    // A record is an object of 500 bytes or more.
    expect(Math.max(...growth)).toBeLessThan(200);
  }, 60_000);
});

describe('in a Redis cluster', () => {
  const cleanups: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    for (const cleanUp of cleanups.splice(0).toReversed()) await cleanUp();
  });

  it('stops are accepted, retried, finished and listed', async () => {
    const cluster = await RedisCluster.start(3, 0);
    cleanups.push(() => cluster.close());
    const nodes = cluster.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
    const replicaSet = await ReplicaSet.start(2, { REDIS_URL: `redis://${nodes}?cluster=true` }, 0);
    cleanups.push(() => replicaSet.close());
    const [first, second] = replicaSet.urls;
    replicaSet.sandbox.setFaults([
      { fault: { kind: 'error', code: 'InternalError' }, times: 1, taskId: 'relay' },
    ]);
    let number = 0;
    for (const url of [first!, second!])
      await eventually(async () => {
        number += 1;
        return (await stopTask(url, `warm-${number}`, '', ASYNC)).status === 202;
      });
    const { headers } = await stopTask(first!, 'relay', '', ASYNC);
    const read = async () => (await send(second!, headers.location!, { method: 'GET' })).body!;
    await eventually(async () => (await read())['status'] !== 'pending');
    expect(await read()).toMatchObject({ taskId: 'relay', status: 'stopped', attempts: 2 });
    await eventually(async () => {
      const { body } = await send(second!, '/stops?status=pending', { method: 'GET' });
      return (body!['stops'] as unknown[]).length === 0;
    });
    const { body } = await send(second!, '/stops', { method: 'GET' });
    expect((body!['stops'] as { taskId: string }[]).map(({ taskId }) => taskId)).toContain('relay');
    // One node has all keys, and no command was sent to a wrong one.
    expect(await replicaSet.sumMetric('ingest_gateway_quota_redis_up')).toBe(2);
    expect(replicaSet.unexpectedExits).toEqual([]);
  }, 60_000);
});
