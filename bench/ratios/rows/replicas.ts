import { setTimeout as sleep } from 'node:timers/promises';
import { admitted, AxiosCaller } from '../direct.js';
import { Cloud, Gateway } from '../gateway.js';
import { inTurn } from '../in-turn.js';
import { CountedRedis } from '../redis.js';
import type { Row } from '../row.js';
import { median } from '../statistics.js';

const QUOTA = 20;
const OFFERED_PER_SECOND = 50;
const WARM_UP_CALLS = 150;

interface Fleet {
  readonly perSecond: number;
  readonly peakPerSecond: number;
  readonly admittedMs: number;
  readonly commandsPerCall: number;
}

export const replicas: Row = {
  name: 'replicas',
  work: 'fifty stops a second over 1 and over 8 replicas that share their slots through Redis',
  async measure({ quick }) {
    const seconds = quick ? 4 : 8;
    const one: Fleet[] = [];
    const eight: Fleet[] = [];
    for (let round = 0; round < (quick ? 1 : 2); round += 1) {
      one.push(await load(1, seconds));
      eight.push(await load(8, seconds));
    }
    const compare = (what: string, of: keyof Fleet, target: { atLeast?: number; atMost?: number }) => ({
      what,
      ours: { name: '8 replicas', values: eight.map((fleet) => fleet[of]) },
      theirs: { name: 'with 1 replica', values: one.map((fleet) => fleet[of]) },
      target,
    });
    return [
      {
        what: 'most arrivals in any second, 8 replicas',
        ours: { name: 'gateway', values: eight.map(({ peakPerSecond }) => peakPerSecond) },
        target: { atMost: QUOTA },
      },
      compare('arrivals per second', 'perSecond', { atLeast: 0.95, atMost: 1.05 }),
      compare('p50 of an admitted call, ms', 'admittedMs', { atMost: 1.2 }),
      compare('commands to Redis per call', 'commandsPerCall', { atMost: 1.2 }),
    ];
  },
};

async function load(size: number, seconds: number): Promise<Fleet> {
  const [cloud, store] = await Promise.all([Cloud.start(), CountedRedis.start()]);
  const env = { REDIS_URL: store.url };
  const fleet = await Promise.all(Array.from({ length: size }, () => Gateway.start(cloud, { env })));
  const caller = new AxiosCaller(cloud.place);
  await sleep(4000);
  const call = async (n: number): Promise<number | undefined> =>
    caller.ifAdmitted(fleet[n % size]!.url).catch(() => undefined);
  const offer = async (count: number): Promise<(number | undefined)[]> => {
    let number = 0;
    const [calls = []] = await inTurn([() => call(number++)], { perSecond: OFFERED_PER_SECOND, count });
    return calls;
  };
  // Each replica is to have had as many calls before as the only one, or it is their warmth that is compared.
  await offer(WARM_UP_CALLS * size);
  await sleep(1500);
  await store.calls();
  const before = await cloud.statistics();
  const startedAt = performance.now();
  const calls = await offer(OFFERED_PER_SECOND * seconds);
  const took = (performance.now() - startedAt) / 1000;
  const after = await cloud.statistics();
  const { evalsha = 0, get = 0, xadd = 0 } = await store.calls();
  caller.close();
  await Promise.all([...fleet, cloud, store].map((each) => each.stop()));
  return {
    perSecond: (after.stopCalls - before.stopCalls) / took,
    peakPerSecond: after.peakPerSecond,
    admittedMs: median(admitted(calls)),
    // Each replica's heartbeat of every second is not a cost of calls.
    commandsPerCall: (evalsha + get + xadd - size * took) / calls.length,
  };
}
