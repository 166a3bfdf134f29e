import { AxiosCaller } from '../axios-caller.js';
import { compare, scriptSubject } from '../compare.js';
import { Cloud, Gateway, type GatewayOptions, LARGE_QUOTA } from '../gateway.js';
import { LoadGenerator, STOP_REQUEST } from '../load-generator.js';
import type { Figure, Row } from '../row.js';
import { SERVER_CORE } from '../script.js';
import { callAtSteadyRate } from '../steady-rate.js';

/** What differs between the two gateways. */
export type OtherVersion = Pick<GatewayOptions, 'bundle' | 'nodeArguments'>;

/** Compares this build with another one, to measure a change. Not a part of the table. */
export function versions(other: OtherVersion): Row {
  return {
    name: 'versions',
    workload: 'this build and another one: 15 stops a second with axios, then a flood over 32 connections',
    async measure(options) {
      const cloud = await Cloud.start();
      const admitting = await Promise.all([
        Gateway.start(cloud, { env: LARGE_QUOTA }),
        Gateway.start(cloud, { env: LARGE_QUOTA, ...other }),
      ]);
      await admitting[0].waitForSlots();
      const caller = new AxiosCaller(cloud.address);
      const sides = admitting.map(
        ({ url }) =>
          () =>
            caller.throughGateway(url),
      );
      const calls = await callAtSteadyRate(sides, options);
      caller.close();
      await Promise.all(admitting.map((each) => each.stop()));

      const rejecting = await Promise.all([
        Gateway.start(cloud, { core: SERVER_CORE }),
        Gateway.start(cloud, { core: SERVER_CORE, ...other }),
      ]);
      const generator = await LoadGenerator.start();
      const subjects = rejecting.map((gateway) =>
        scriptSubject('', { child: gateway.child, ready: gateway.port }, '429', () => gateway.truncateLog()),
      );
      const load = { head: STOP_REQUEST, connections: 32, ms: options.quick ? 1500 : 3000 };
      const [measured, baseline] = await compare(generator, subjects, load, options.quick ? 3 : 7);
      await Promise.all([generator, ...rejecting, cloud].map((each) => each.stop()));
      const latency = (quantile: 'p50' | 'p99'): Figure => ({
        metric: `${quantile} of a call, ms`,
        measured: { name: 'gateway', values: calls[quantile](0) },
        baseline: { name: 'the other build', values: calls[quantile](1) },
        comparison: 'difference',
      });
      return [
        latency('p50'),
        latency('p99'),
        {
          metric: 'processor time for one 429, µs',
          measured: { name: 'gateway', values: measured!.cpuMicros },
          baseline: { name: 'the other build', values: baseline!.cpuMicros },
        },
      ];
    },
  };
}
