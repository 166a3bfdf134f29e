import { AxiosCaller } from '../axios-caller.js';
import { Cloud, Gateway, LARGE_QUOTA } from '../gateway.js';
import { LogFile } from '../log-file.js';
import type { Figure, Row } from '../row.js';
import { startScript } from '../script.js';
import { callAtSteadyRate } from '../steady-rate.js';

export const latency: Row = {
  name: 'latency',
  workload:
    '15 stops a second with axios: through a gateway (HTTP in, HTTPS out), and directly to the sandbox by HTTPS',
  async measure(options) {
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
    const calls = await callAtSteadyRate(
      [
        () => caller.directly(),
        () => caller.throughGateway(gateway.url),
        () => caller.throughGateway(signedHopUrl!),
        () => caller.throughGateway(naiveUrl!),
      ],
      options,
    );
    caller.close();
    await Promise.all([gateway, signedHop.child, naive.child, cloud].map((each) => each.stop()));
    log.remove();
    return (['p50', 'p99'] as const).flatMap((quantile): Figure[] => {
      const [direct, ofGateway, ofHop, ofNaive] = [0, 1, 2, 3].map((side) => calls[quantile](side));
      const added = (values: number[]): number[] => values.map((ms, round) => ms - direct![round]!);
      const metric = `added ${quantile} over axios directly, ms`;
      const measured = { name: 'gateway', values: added(ofGateway!) };
      return [
        {
          metric,
          measured,
          baseline: { name: 'the naive gateway', values: added(ofNaive!) },
          ...(quantile === 'p50' && { target: { atMost: 0.6 } }),
        },
        { metric, measured, baseline: { name: 'a hop that only signs', values: added(ofHop!) } },
      ];
    });
  },
};
