import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultRule } from '../../apps/sandbox/src/faults.js';
import { send, stopTask } from './client.js';
import { eventually } from './eventually.js';
import { RedisProcess } from './redis.js';
import { ReplicaSet } from './replica-set.js';

const SDK_APP_ID = 1400000001;
const REPLICAS = 3;
const KILL_INTERVAL_MS = 3000;
const CONCURRENCY = 50;
const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

/** How long the stops may take after the last disruption. */
const FINISH_TIMEOUT_MS = 400_000;

/** How long a stop may be pending after its task has ended: until another replica takes it over. */
const RESULT_TIMEOUT_MS = 90_000;

const RANDOM_FAULTS: readonly FaultRule[] = [
  { fault: { kind: 'error', code: 'InternalError' }, times: 'always', probability: 0.02 },
  { fault: { kind: 'reset', at: 'before-headers' }, times: 'always', probability: 0.02, effect: 'after' },
  { fault: { kind: 'reset', at: 'before-headers' }, times: 'always', probability: 0.02 },
  { fault: { kind: 'status', status: 502 }, times: 'always', probability: 0.01, effect: 'after' },
];
const OUTAGE: readonly FaultRule[] = [{ fault: { kind: 'reset', at: 'before-headers' }, times: 'always' }];

export interface CrashScenarioOptions {
  /** How many stops are submitted. */
  readonly stops: number;
  /** How long the cloud is away. */
  readonly outageMs: number;
}

export interface CrashReport {
  readonly accepted: number;
  /** Stops that were executed synchronously, because Redis could not store them. */
  readonly synchronous: number;
  /** Accepted stops by what became of them: a status, or `lost`. */
  readonly results: Readonly<Record<string, number>>;
  /**
   * Accepted stops that are `already-finished` because the response to an earlier request was lost, whose stop had
   * finished.
   */
  readonly repeated: number;
  /** Tasks that still run. */
  readonly running: number;
  readonly peakPerSecond: number;
  readonly kills: number;
  readonly unexpectedExits: readonly string[];
  readonly seconds: number;
}

interface Submitted {
  /** Undefined if the stop was synchronous. */
  readonly location: string | undefined;
  /** Whether an earlier request, whose response was lost, may have been accepted and executed as well. */
  readonly isRepeated: boolean;
}

/**
 * Submits asynchronous stops to three replicas while one replica is killed every three seconds, Redis is killed and
 * restarted twice, the cloud fails at random, and is away for a while. Then reads what became of each stop.
 */
export async function runCrashScenario({ stops, outageMs }: CrashScenarioOptions): Promise<CrashReport> {
  const startedAt = performance.now();
  const redis = await RedisProcess.start(...DURABLE);
  const replicaSet = await ReplicaSet.start(REPLICAS, { REDIS_URL: redis.url }, 20);
  const { sandbox } = replicaSet;
  const over = new AbortController();
  let kills = 0;
  const killRegularly = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await sleep(KILL_INTERVAL_MS, undefined, { signal: over.signal }).catch(() => {});
      if (over.signal.aborted) return;
      await replicaSet.stopOldest('SIGKILL');
      kills += 1;
      await replicaSet.addReplica();
    }
  };
  const disrupt = async (): Promise<void> => {
    await sleep(5000);
    await restartAfterCrash(redis);
    await sleep(5000);
    sandbox.setFaults(OUTAGE);
    await sleep(outageMs / 2);
    await restartAfterCrash(redis);
    await sleep(outageMs / 2);
    sandbox.setFaults(RANDOM_FAULTS);
  };
  const running = (): number => sandbox.tasks().filter(({ status }) => status !== 'finished').length;
  let killed: Promise<void> | undefined;
  try {
    const tasks = Array.from({ length: stops }, (_, index) => `relay-${index}`);
    for (const taskId of tasks) sandbox.putTask({ sdkAppId: SDK_APP_ID, taskId, status: 'running' });
    sandbox.setFaults(RANDOM_FAULTS);
    killed = killRegularly();
    const [submitted] = await Promise.all([
      mapConcurrently(tasks, (taskId) => submit(replicaSet, taskId)),
      disrupt(),
    ]);
    await eventually(() => running() === 0, FINISH_TIMEOUT_MS).catch(() => {});
    over.abort();
    await killed;
    const accepted = submitted.filter(({ location }) => location !== undefined);
    const results = await mapConcurrently(accepted, ({ location }) => readResult(replicaSet, location!));
    const isRepeated = results.map(
      (result, index) => result === 'already-finished' && accepted[index]!.isRepeated,
    );
    return {
      accepted: accepted.length,
      synchronous: submitted.length - accepted.length,
      results: countBy(results.filter((_, index) => !isRepeated[index])),
      repeated: isRepeated.filter(Boolean).length,
      running: running(),
      peakPerSecond: replicaSet.peakPerSecond,
      kills,
      unexpectedExits: replicaSet.unexpectedExits,
      seconds: (performance.now() - startedAt) / 1000,
    };
  } finally {
    over.abort();
    // It may be starting a replica.
    await killed;
    await replicaSet.close();
    await redis.close();
  }
}

async function restartAfterCrash(redis: RedisProcess): Promise<void> {
  await redis.signal('SIGKILL');
  await sleep(2000);
  await redis.restart();
}

/** Submits a stop to random replicas until one accepts it or stops the task. */
async function submit(replicaSet: ReplicaSet, taskId: string): Promise<Submitted> {
  for (let isRepeated = false; ; isRepeated = true) {
    const response = await stopTask(anyUrl(replicaSet), taskId, '', { prefer: 'respond-async' }).catch(
      () => undefined,
    );
    if (response?.status === 202) return { location: response.headers.location!, isRepeated };
    // Without the backlog, the call was synchronous.
    if (response?.status === 200) return { location: undefined, isRepeated };
    await sleep(100);
  }
}

/** Waits for the end of a stop. @returns its status, or `lost` */
async function readResult(replicaSet: ReplicaSet, location: string): Promise<string> {
  let status = 'pending';
  await eventually(async () => {
    const response = await send(anyUrl(replicaSet), location, { method: 'GET' }).catch(() => undefined);
    if (response?.status === 200) status = String(response.body!['status']);
    if (response?.status === 404) status = 'lost';
    return status !== 'pending';
  }, RESULT_TIMEOUT_MS).catch(() => {});
  return status;
}

function anyUrl({ urls }: ReplicaSet): string {
  return urls[Math.floor(Math.random() * urls.length)]!;
}

async function mapConcurrently<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const next = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of next) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return results;
}

function countBy(labels: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}
