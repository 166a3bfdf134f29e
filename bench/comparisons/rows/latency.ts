import { setTimeout as sleep } from 'node:timers/promises';
import { AxiosCaller } from '../axios-caller.js';
import { callAtRate } from '../call-at-rate.js';
import { Cloud, Gateway, LARGE_QUOTA } from '../gateway.js';
import type { Figure, Row } from '../row.js';
import { startScript } from '../script.js';
import { quantile } from '../statistics.js';

const CALLS_PER_SECOND = 15;

/** The number of calls after which V8 has optimised the code of a call, as in a process that serves for days. */
const WARM_UP = { perSecond: 50, count: 2000 };

export const latency: Row = {
  name: 'latency',
  workload:
    '15 stops a second with axios: through the gateway (HTTP in, HTTPS out), and directly to the sandbox by HTTPS',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const gateway = await (await Gateway.start(cloud, { env: LARGE_QUOTA })).waitForSlots();
    const caller = new AxiosCaller(cloud.address);
    const passthrough = await startScript('./servers/passthrough.js', cloud.address);
    const passthroughUrl = `http://127.0.0.1:${passthrough.ready}`;
    const sides = [
      () => caller.throughGateway(gateway.url),
      () => caller.directly(),
      () => caller.throughGateway(passthroughUrl),
    ];
    // At this rate a burst after the machine was busy may be rejected, which warms up as well.
    const warmUpSides = [() => caller.ifAdmitted(gateway.url), ...sides.slice(1)];
    await callAtRate(warmUpSides, quick ? { ...WARM_UP, count: 200 } : WARM_UP);
    await sleep(1500);
    const quantiles = [0.5, 0.99].map((share) => ({
      share,
      gateway: [] as number[],
      direct: [] as number[],
      passthrough: [] as number[],
    }));
    for (let round = 0; round < (quick ? 3 : 7); round += 1) {
      const [gatewayMs, directMs, passthroughMs] = await callAtRate(sides, {
        perSecond: CALLS_PER_SECOND,
        count: 100,
      });
      for (const each of quantiles) {
        each.gateway.push(quantile(gatewayMs!, each.share));
        each.direct.push(quantile(directMs!, each.share));
        each.passthrough.push(quantile(passthroughMs!, each.share));
      }
    }
    caller.close();
    await Promise.all([gateway, passthrough.child, cloud].map((each) => each.stop()));
    return quantiles.flatMap(({ share, ...ms }): Figure[] => {
      const figure = {
        metric: `p${share * 100} of a call, ms`,
        baseline: { name: 'axios directly', values: ms.direct },
        comparison: 'difference',
      } as const;
      return [
        {
          ...figure,
          measured: { name: 'gateway', values: ms.gateway },
          target: { atMost: share === 0.5 ? 0.7 : 3 },
        },
        {
          ...figure,
          measured: { name: 'passthrough', values: ms.passthrough },
          note: 'through a server that only forwards',
        },
      ];
    });
  },
};
