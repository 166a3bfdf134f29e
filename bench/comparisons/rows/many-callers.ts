import { AxiosCaller } from '../axios-caller.js';
import { Cloud, Gateway, LARGE_QUOTA } from '../gateway.js';
import type { Row } from '../row.js';
import { callAtSteadyRate } from '../steady-rate.js';

export const manyCallers: Row = {
  name: 'many-callers',
  workload: '15 stops a second with 5,000 callers configured, and with 5',
  async measure(options) {
    const cloud = await Cloud.start();
    const [many, few] = await Promise.all([
      Gateway.start(cloud, { callers: 5000, env: LARGE_QUOTA }),
      Gateway.start(cloud, { callers: 5, env: LARGE_QUOTA }),
    ]);
    await few.waitForSlots();
    const caller = new AxiosCaller(cloud.address);
    const sides = [() => caller.throughGateway(many.url, 2), () => caller.throughGateway(few.url, 2)];
    const calls = await callAtSteadyRate(sides, options);
    caller.close();
    await Promise.all([many, few, cloud].map((each) => each.stop()));
    return [
      {
        metric: 'p50 of a call, ms',
        measured: { name: '5,000 callers', values: calls.p50(0) },
        baseline: { name: 'with 5 callers', values: calls.p50(1) },
        target: { atMost: 1.1 },
      },
      {
        metric: 'p99 of a call, ms',
        measured: { name: '5,000 callers', values: calls.p99(0) },
        baseline: { name: 'with 5 callers', values: calls.p99(1) },
      },
    ];
  },
};
