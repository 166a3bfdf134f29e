import { setTimeout as sleep } from 'node:timers/promises';
import { admitted, AxiosCaller } from '../axios-caller.js';
import { callAtRate } from '../call-at-rate.js';
import { Cloud, startReplicas } from '../gateway.js';
import { CountingRedis } from '../redis.js';
import type { Figure, Row, Target } from '../row.js';
import { median } from '../statistics.js';

const QUOTA = 20;
const OFFERED_PER_SECOND = 50;
const WARM_UP_CALLS = 150;
/** One for each call, and one more for each of the 20 in 50 that are admitted: 1.4. */
const MAX_SCRIPTS_PER_CALL = 1.45;

interface LoadResult {
  readonly perSecond: number;
  readonly peakPerSecond: number;
  readonly admittedMs: number;
  readonly scriptsPerCall: number;
}

export const replicas: Row = {
  name: 'replicas',
  workload: '50 stops a second over 1 and over 8 replicas that share their slots through Redis',
  async measure({ quick }) {
    const seconds = quick ? 4 : 8;
    const one: LoadResult[] = [];
    const eight: LoadResult[] = [];
    for (let round = 0; round < (quick ? 1 : 2); round += 1) {
      one.push(await load(1, seconds));
      eight.push(await load(8, seconds));
    }
    const compare = (metric: string, key: keyof LoadResult, target: Target): Figure => ({
      metric,
      measured: { name: '8 replicas', values: eight.map((each) => each[key]) },
      baseline: { name: 'with 1 replica', values: one.map((each) => each[key]) },
      target,
    });
    return [
      {
        metric: 'most arrivals in any second, 8 replicas',
        measured: { name: 'gateway', values: eight.map(({ peakPerSecond }) => peakPerSecond) },
        target: { atMost: QUOTA },
      },
      compare('arrivals per second', 'perSecond', { atLeast: 0.95, atMost: 1.05 }),
      compare('p50 of an admitted call, ms', 'admittedMs', { atMost: 1.2 }),
      {
        metric: 'scripts that Redis runs per call, 8 replicas',
        measured: { name: 'gateway', values: eight.map(({ scriptsPerCall }) => scriptsPerCall) },
        target: { atMost: MAX_SCRIPTS_PER_CALL },
      },
    ];
  },
};

async function load(size: number, seconds: number): Promise<LoadResult> {
  const [cloud, redis] = await Promise.all([Cloud.start(), CountingRedis.start()]);
  const gateways = await startReplicas(cloud, redis.url, size);
  await redis.measureIdle();
  const caller = new AxiosCaller(cloud.address);
  const call = async (n: number): Promise<number | undefined> =>
    caller.ifAdmitted(gateways[n % size]!.url).catch(() => undefined);
  const offer = async (count: number): Promise<(number | undefined)[]> => {
    let number = 0;
    const [calls = []] = await callAtRate([() => call(number++)], { perSecond: OFFERED_PER_SECOND, count });
    return calls;
  };
  // Each replica gets as many calls as the single one: a cold process is slower.
  await offer(WARM_UP_CALLS * size);
  await sleep(1500);
  await redis.scriptCount();
  const before = await cloud.statistics();
  const startedAt = performance.now();
  const calls = await offer(OFFERED_PER_SECOND * seconds);
  const took = (performance.now() - startedAt) / 1000;
  const after = await cloud.statistics();
  const scripts = await redis.scriptCount();
  caller.close();
  await Promise.all([...gateways, cloud, redis].map((each) => each.stop()));
  return {
    perSecond: (after.stopCalls - before.stopCalls) / took,
    peakPerSecond: after.peakPerSecond,
    admittedMs: median(admitted(calls)),
    scriptsPerCall: scripts / calls.length,
  };
}
