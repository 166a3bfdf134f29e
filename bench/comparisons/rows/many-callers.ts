import { AxiosCaller } from '../axios-caller.js';
import { callAtRate } from '../call-at-rate.js';
import { Cloud, Gateway, LARGE_QUOTA } from '../gateway.js';
import type { Row } from '../row.js';
import { median } from '../statistics.js';

export const manyCallers: Row = {
  name: 'many-callers',
  workload: '15 stops a second with 5,000 callers configured, and with 5',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const [many, few] = await Promise.all([
      Gateway.start(cloud, { callers: 5000, env: LARGE_QUOTA }),
      Gateway.start(cloud, { callers: 5, env: LARGE_QUOTA }),
    ]);
    await few.waitForSlots();
    const caller = new AxiosCaller(cloud.address);
    const sides = [() => caller.throughGateway(many.url, 2), () => caller.throughGateway(few.url, 2)];
    await callAtRate(sides, { perSecond: 15, count: 45 });
    const p50: [number[], number[]] = [[], []];
    for (let round = 0; round < (quick ? 3 : 7); round += 1) {
      const [withMany, withFew] = await callAtRate(sides, { perSecond: 15, count: 45 });
      p50[0].push(median(withMany!));
      p50[1].push(median(withFew!));
    }
    caller.close();
    await Promise.all([many, few, cloud].map((each) => each.stop()));
    return [
      {
        metric: 'p50 of a call, ms',
        measured: { name: '5,000 callers', values: p50[0] },
        baseline: { name: 'with 5 callers', values: p50[1] },
        target: { atMost: 1.1 },
      },
    ];
  },
};
