import { setTimeout as sleep } from 'node:timers/promises';
import { admitted, AxiosCaller } from '../axios-caller.js';
import { callAtRate } from '../call-at-rate.js';
import { Cloud, startReplicas } from '../gateway.js';
import { LoadGenerator, STOP_REQUEST } from '../load-generator.js';
import { CountingRedis } from '../redis.js';
import type { Figure, Row } from '../row.js';
import { SERVER_CORE } from '../script.js';
import { quantile } from '../statistics.js';

const QUOTA = 20;
const REJECTIONS_PER_SECOND = 2000;
/** Below it, the figures say nothing about the flood. */
const MIN_FLOOD_FRACTION = 0.9;
/** A multiple of the number of replicas. */
const CONNECTIONS = 30;
const MODEST_PER_SECOND = 5;
const WARM_UP_MS = 4000;

/** Each admitted call acquires and releases its slot. */
const SCRIPTS_PER_ADMITTED_CALL = 2;

export const redisFlood: Row = {
  name: 'redis-flood',
  workload:
    'one caller has 2,000 calls a second rejected by replicas that share their slots through Redis; another one stops 5 tasks a second',
  async measure({ quick }) {
    const ms = quick ? 4000 : 10_000;
    const one = await measureReplicas(1, 1, ms);
    const three = await measureReplicas(3, quick ? 1 : 4, ms);
    return [
      scriptsFigure('1 replica', one),
      scriptsFigure('3 replicas', three),
      {
        metric: 'p99 of an admitted call of the other caller, 3 replicas, ms',
        measured: { name: 'under the flood', values: [quantile(three.loadedMs, 0.99)] },
        baseline: { name: 'without the flood', values: [quantile(three.unloadedMs, 0.99)] },
      },
    ];
  },
};

interface Result {
  /** One value for each round. */
  readonly scriptsPerRejection: readonly number[];
  /** The admitted calls of the other caller. */
  readonly unloadedMs: readonly number[];
  readonly loadedMs: readonly number[];
}

function scriptsFigure(name: string, { scriptsPerRejection }: Result): Figure {
  return {
    metric: `scripts that Redis runs per rejected call, ${name}`,
    measured: { name, values: scriptsPerRejection },
    target: { atMost: 0.05 },
    note: 'EVALSHA and EVAL, without two of each admitted call and those of idle replicas',
  };
}

async function measureReplicas(size: number, rounds: number, ms: number): Promise<Result> {
  const [cloud, redis, generator] = await Promise.all([
    Cloud.start(),
    CountingRedis.start(),
    LoadGenerator.start(),
  ]);
  const replicas = await startReplicas(cloud, redis.url, size, { core: SERVER_CORE });
  await redis.measureIdle();
  const caller = new AxiosCaller(cloud.address);
  let number = 0;
  const stop = () => caller.ifAdmitted(replicas[number++ % size]!.url, 1);
  const modestCaller = async (forMs = ms): Promise<(number | undefined)[]> => {
    const count = Math.floor((MODEST_PER_SECOND * forMs) / 1000);
    const [calls = []] = await callAtRate([stop], { perSecond: MODEST_PER_SECOND, count });
    return calls;
  };
  const flood = {
    ports: replicas.map(({ port }) => port),
    head: STOP_REQUEST,
    connections: CONNECTIONS,
    // The quota admits the rest.
    perSecond: REJECTIONS_PER_SECOND + QUOTA,
    ms,
  };
  // The first round only warms up.
  await Promise.all([generator.run({ ...flood, ms: WARM_UP_MS }), modestCaller(WARM_UP_MS)]);
  const scriptsPerRejection: number[] = [];
  const [unloadedMs, loadedMs]: [number[], number[]] = [[], []];
  let rejections = 0;
  let seconds = 0;
  for (let round = 0; round < rounds; round += 1) {
    await sleep(1500);
    unloadedMs.push(...admitted(await modestCaller()));
    // Every slot is free again.
    await sleep(1500);
    await redis.scriptCount();
    const [report, modestCalls] = await Promise.all([generator.run(flood), modestCaller()]);
    // The scripts of the last calls have run.
    await sleep(100);
    const scripts = await redis.scriptCount();
    const modestMs = admitted(modestCalls);
    loadedMs.push(...modestMs);
    const { 200: floodAdmitted = 0, 429: floodRejected = 0 } = report.statuses;
    const rejected = floodRejected + modestCalls.length - modestMs.length;
    const ofAdmitted = SCRIPTS_PER_ADMITTED_CALL * (floodAdmitted + modestMs.length);
    scriptsPerRejection.push((scripts - ofAdmitted) / rejected);
    rejections += rejected;
    seconds += report.seconds;
  }
  caller.close();
  await Promise.all([generator, ...replicas, cloud, redis].map((each) => each.stop()));
  const rejectionsPerSecond = Math.round(rejections / seconds);
  if (rejectionsPerSecond < MIN_FLOOD_FRACTION * REJECTIONS_PER_SECOND)
    throw new Error(`the machine is too busy: only ${rejectionsPerSecond} calls a second were rejected`);
  return { scriptsPerRejection, unloadedMs, loadedMs };
}
