import { AxiosCaller } from '../axios-caller.js';
import { Cloud, Gateway, LARGE_QUOTA, startReplicas } from '../gateway.js';
import { CountingRedis } from '../redis.js';
import type { Figure, Row } from '../row.js';
import { callAtSteadyRate } from '../steady-rate.js';

export const redis: Row = {
  name: 'redis',
  workload: '15 stops a second with slots in Redis, and with slots in the process of the gateway',
  async measure(options) {
    const [cloud, redisProcess] = await Promise.all([Cloud.start(), CountingRedis.start()]);
    const [[shared], local] = await Promise.all([
      startReplicas(cloud, redisProcess.url, 1, { env: LARGE_QUOTA }),
      Gateway.start(cloud, { env: LARGE_QUOTA }),
    ]);
    await redisProcess.measureIdle();
    const caller = new AxiosCaller(cloud.address);
    let sharedCalls = 0;
    const calls = await callAtSteadyRate(
      [
        () => {
          sharedCalls += 1;
          return caller.throughGateway(shared!.url);
        },
        () => caller.throughGateway(local.url),
      ],
      options,
    );
    // Every call releases its slot after its response.
    const scriptsBefore = (await redisProcess.scriptCount()) - sharedCalls;
    caller.close();
    await Promise.all([shared!, local, cloud, redisProcess].map((each) => each.stop()));
    const figure = (metric: 'p50' | 'p99'): Figure => ({
      metric: `${metric} of a call, ms`,
      measured: { name: 'with Redis', values: calls[metric](0) },
      baseline: { name: 'in-process', values: calls[metric](1) },
      comparison: 'difference',
    });
    return [
      figure('p50'),
      figure('p99'),
      {
        metric: 'scripts that Redis runs before the call',
        measured: { name: 'with Redis', values: [Math.round((scriptsBefore / sharedCalls) * 10) / 10] },
        target: { atMost: 1 },
      },
    ];
  },
};
