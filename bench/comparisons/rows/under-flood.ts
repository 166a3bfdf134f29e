import { setTimeout as sleep } from 'node:timers/promises';
import { admitted, AxiosCaller } from '../axios-caller.js';
import { callAtRate } from '../call-at-rate.js';
import { Cloud, Gateway } from '../gateway.js';
import { LoadGenerator, STOP_REQUEST } from '../load-generator.js';
import type { Row } from '../row.js';
import { SERVER_CORE } from '../script.js';
import { quantile } from '../statistics.js';

const QUOTA = 20;
const CONNECTIONS = 32;
const MODEST_PER_SECOND = 5;
const DEMAND_EXPIRY_MS = 6000;

export const underFlood: Row = {
  name: 'under-flood',
  workload: 'one caller sends as fast as it can over 32 connections; another one stops 5 tasks a second',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const gateway = await (await Gateway.start(cloud, { core: SERVER_CORE })).waitForSlots();
    const generator = await LoadGenerator.start();
    const caller = new AxiosCaller(cloud.address);
    const flood = { ports: [gateway.port], head: STOP_REQUEST, connections: CONNECTIONS };
    const modest = [() => caller.ifAdmitted(gateway.url, 1)];
    const rounds = quick ? 2 : 4;
    // Not a whole number of seconds: slots are released a second later, and none is about to be released at the end.
    const ms = quick ? 4500 : 8500;
    const count = Math.floor((MODEST_PER_SECOND * ms) / 1000);
    const unloadedMs: number[] = [];
    const loadedMs: number[] = [];
    const usedByBoth: number[] = [];
    const usedByFlood: number[] = [];
    // A slot is leased for the duration of its call and one second: that limits how often it can be acquired.
    const usedShare = async (meanwhile: () => Promise<unknown>): Promise<number> => {
      const before = await cloud.statistics();
      const load = generator.run({ ...flood, ms });
      const others = meanwhile();
      const { seconds, admittedMs } = await load;
      const { stopCalls } = await cloud.statistics();
      await others;
      return (stopCalls - before.stopCalls) / (QUOTA * Math.ceil(seconds / (1 + admittedMs.p50 / 1000)));
    };
    await callAtRate(modest, { perSecond: MODEST_PER_SECOND, count: 15 });
    await generator.run({ ...flood, ms: 3000 });
    for (let round = 0; round < rounds; round += 1) {
      await sleep(1500);
      const [unloaded] = await callAtRate(modest, { perSecond: MODEST_PER_SECOND, count });
      // Every slot is free again: all upstream requests from now on belong to this load.
      await sleep(1500);
      let loaded: (number | undefined)[] = [];
      usedByBoth.push(
        await usedShare(async () => {
          [loaded = []] = await callAtRate(modest, { perSecond: MODEST_PER_SECOND, count });
        }),
      );
      unloadedMs.push(...admitted(unloaded!));
      loadedMs.push(...admitted(loaded));
      // The gateway forgets the demand of the modest caller.
      await sleep(DEMAND_EXPIRY_MS);
      usedByFlood.push(await usedShare(async () => {}));
    }
    caller.close();
    await Promise.all([generator, gateway, cloud].map((each) => each.stop()));
    return [
      {
        metric: 'share of the quota that is used, by the fast caller alone',
        measured: { name: 'gateway', values: usedByFlood },
        target: { atLeast: 0.97 },
      },
      {
        metric: 'share of the quota that is used, by both callers',
        measured: { name: 'gateway', values: usedByBoth },
        target: { atLeast: 0.93 },
      },
      {
        metric: 'p99 of an admitted call, ms',
        // Over all rounds: the p99 of one round would be its slowest call.
        measured: { name: 'gateway', values: [quantile(loadedMs, 0.99)] },
        baseline: { name: 'without load', values: [quantile(unloadedMs, 0.99)] },
        target: { atMost: 3 },
      },
    ];
  },
};
