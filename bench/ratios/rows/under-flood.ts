import { setTimeout as sleep } from 'node:timers/promises';
import { admitted, AxiosCaller } from '../direct.js';
import { Flood, STOP } from '../flood.js';
import { Cloud, Gateway } from '../gateway.js';
import type { Figure, Row } from '../row.js';
import { quantile } from '../statistics.js';
import { inTurn } from '../in-turn.js';

const QUOTA = 20;
const CONNECTIONS = 32;
const MODEST_PER_SECOND = 5;
const FORGOTTEN_AFTER_MS = 6000;

export const underFlood: Row = {
  name: 'under-flood',
  work: 'one caller floods over 32 connections, another one stops 5 tasks a second',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const gateway = await (await Gateway.start(cloud, { core: 0 })).open();
    const generator = await Flood.start();
    const caller = new AxiosCaller(cloud.place);
    const modest = [() => caller.ifAdmitted(gateway.url, 1)];
    const rounds = quick ? 2 : 4;
    // Half a second past a whole number of them: slots come back by the second, and none is just about to at the end.
    const ms = quick ? 4500 : 8500;
    const count = Math.floor((MODEST_PER_SECOND * ms) / 1000);
    const calmMs: number[] = [];
    const floodedMs: number[] = [];
    const used: number[] = [];
    const usedByFlood: number[] = [];
    // A slot is taken for one second and its call's own time: so often can each begin in that time.
    const flooded = async (meanwhile: () => Promise<unknown>): Promise<number> => {
      const before = await cloud.statistics();
      const flooding = generator.run({ port: gateway.port, head: STOP, connections: CONNECTIONS, ms });
      const beside = meanwhile();
      const { seconds, admittedMs } = await flooding;
      const { stopCalls: arrivals } = await cloud.statistics();
      await beside;
      return (arrivals - before.stopCalls) / (QUOTA * Math.ceil(seconds / (1 + admittedMs.p50 / 1000)));
    };
    await inTurn(modest, { perSecond: MODEST_PER_SECOND, count: 15 });
    await generator.run({ port: gateway.port, head: STOP, connections: CONNECTIONS, ms: 3000 });
    for (let round = 0; round < rounds; round += 1) {
      await sleep(1500);
      const [calm] = await inTurn(modest, { perSecond: MODEST_PER_SECOND, count });
      // Every slot is free again, so that what arrives from now on is what this flood brings.
      await sleep(1500);
      let beside: (number | undefined)[] = [];
      used.push(
        await flooded(async () => {
          [beside = []] = await inTurn(modest, { perSecond: MODEST_PER_SECOND, count });
        }),
      );
      calmMs.push(...admitted(calm!));
      floodedMs.push(...admitted(beside));
      // The modest caller's wish is forgotten.
      await sleep(FORGOTTEN_AFTER_MS);
      usedByFlood.push(await flooded(async () => {}));
    }
    caller.close();
    await Promise.all([generator, gateway, cloud].map((each) => each.stop()));
    return [
      {
        what: 'share of the quota that is used, by the flood alone',
        ours: { name: 'gateway', values: usedByFlood },
        target: { atLeast: 0.97 },
      },
      {
        what: 'share of the quota that is used, by both callers',
        ours: { name: 'gateway', values: used },
        target: { atLeast: 0.97 },
      },
      {
        what: 'p99 of an admitted call, ms',
        // Of all rounds together: of the calls of one, it would be the slowest.
        ours: { name: 'gateway', values: [quantile(floodedMs, 0.99)] },
        theirs: { name: 'without the flood', values: [quantile(calmMs, 0.99)] },
        target: { atMost: 3 },
      },
    ] satisfies Figure[];
  },
};
