import { setTimeout as sleep } from 'node:timers/promises';
import { AxiosCaller } from '../axios-caller.js';
import { callAtRate } from '../call-at-rate.js';
import { Cloud, Gateway, LARGE_QUOTA } from '../gateway.js';
import { LogFile } from '../log-file.js';
import type { Figure, Row } from '../row.js';
import { startScript } from '../script.js';
import { quantile } from '../statistics.js';

const CALLS_PER_SECOND = 15;

/** The number of calls after which V8 has optimised the code of a call, as in a process that serves for days. */
const WARM_UP = { perSecond: 50, count: 3000 };

export const latency: Row = {
  name: 'latency',
  workload:
    '15 stops a second with axios: through a gateway (HTTP in, HTTPS out), and directly to the sandbox by HTTPS',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const gateway = await (await Gateway.start(cloud, { env: LARGE_QUOTA })).waitForSlots();
    const caller = new AxiosCaller(cloud.address);
    const log = new LogFile();
    const [signedHop, naive] = await Promise.all([
      startScript('./servers/signed-hop.js', cloud.address),
      startScript(
        './servers/naive-gateway.js',
        { ...cloud.address, callsPerSecond: 1000 },
        { stdout: log.descriptor },
      ),
    ]);
    const [signedHopUrl, naiveUrl] = [signedHop, naive].map(({ ready }) => `http://127.0.0.1:${ready}`);
    const sides = [
      () => caller.directly(),
      () => caller.throughGateway(gateway.url),
      () => caller.throughGateway(signedHopUrl!),
      () => caller.throughGateway(naiveUrl!),
    ];
    // At this rate a burst after the machine was busy may be rejected, which warms up as well.
    const warmUpSides = sides.with(1, () => caller.ifAdmitted(gateway.url).then((ms) => ms ?? 0));
    await callAtRate(warmUpSides, quick ? { ...WARM_UP, count: 200 } : WARM_UP);
    await sleep(1500);
    const rounds: number[][][] = [];
    for (let round = 0; round < (quick ? 3 : 7); round += 1)
      rounds.push(await callAtRate(sides, { perSecond: CALLS_PER_SECOND, count: quick ? 100 : 150 }));
    caller.close();
    await Promise.all([gateway, signedHop.child, naive.child, cloud].map((each) => each.stop()));
    log.remove();
    const added = (side: number, share: number): number[] => {
      // A quantile of 0.99 needs the calls of all rounds.
      const samples =
        share === 0.5 ? rounds : [[0, 1, 2, 3].map((each) => rounds.flatMap((ms) => ms[each]!))];
      return samples.map((ms) => quantile(ms[side]!, share) - quantile(ms[0]!, share));
    };
    return [0.5, 0.99].flatMap((share): Figure[] => {
      const metric = `added p${share * 100} over axios directly, ms`;
      const measured = { name: 'gateway', values: added(1, share) };
      return [
        {
          metric,
          measured,
          baseline: { name: 'the naive gateway', values: added(3, share) },
          ...(share === 0.5 && { target: { atMost: 0.6 } }),
        },
        { metric, measured, baseline: { name: 'a hop that only signs', values: added(2, share) } },
      ];
    });
  },
};
