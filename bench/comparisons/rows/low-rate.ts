import { setTimeout as sleep } from 'node:timers/promises';
import type { Subprocess } from '../../../test/support/process.js';
import { AxiosCaller } from '../axios-caller.js';
import type { SdkOptions } from '../clients/sdk.js';
import { Cloud, Gateway, LARGE_QUOTA } from '../gateway.js';
import type { Row, RowOptions } from '../row.js';
import { LOAD_CORE, startScript } from '../script.js';
import { warmUp } from '../steady-rate.js';

const INTERVAL_MS = 6000;
const ROUND_TRIP_MS = 40;

/** During the warm-up. */
const CALLS_IN_FLIGHT = 10;

export const lowRate: Row = {
  name: 'low-rate',
  workload:
    'one stop every 6 s with 40 ms round trip to the cloud: through the gateway, and with the SDK directly',
  async measure(options) {
    const cloud = await Cloud.start();
    const { child: proxy, ready: port } = await startScript(
      './servers/delay-proxy.js',
      { port: Number(new URL(cloud.address.httpsUrl).port), roundTripMs: ROUND_TRIP_MS },
      { core: LOAD_CORE },
    );
    const startSdk = async (keepAlive: boolean) => {
      const sdkOptions: SdkOptions = { ...cloud.address, port, keepAlive };
      return (await startScript('./clients/sdk.js', sdkOptions)).child;
    };
    const gateway = await Gateway.start(cloud, {
      endpoint: `https://127.0.0.1:${port}`,
      env: LARGE_QUOTA,
    });
    const caller = new AxiosCaller(cloud.address);
    const [sdk, keepAliveSdk] = await Promise.all([startSdk(false), startSdk(true), gateway.waitForSlots()]);
    const sides = [
      () => caller.throughGateway(gateway.url),
      () => sdk.request<number>(1),
      () => keepAliveSdk.request<number>(1),
    ];
    await Promise.all([warmUp([sides[0]!], options, CALLS_IN_FLIGHT), warmUpSdk(keepAliveSdk, options)]);
    const callMs: [number[], number[], number[]] = [[], [], []];
    // Before the first round, less than six seconds have passed since the last calls.
    for (let round = 0; round <= (options.quick ? 2 : 60); round += 1)
      for (const [index, call] of sides.entries()) {
        const due = performance.now() + INTERVAL_MS / sides.length;
        const ms = await call();
        if (round > 0) callMs[index]!.push(ms);
        await sleep(due - performance.now());
      }
    caller.close();
    await Promise.all([sdk, keepAliveSdk, proxy, gateway, cloud].map((each) => each.stop()));
    const figure = { metric: 'a call, ms', measured: { name: 'gateway', values: callMs[0] } };
    return [
      {
        ...figure,
        baseline: { name: 'the SDK with a keepAlive agent', values: callMs[2] },
        comparison: 'difference',
        target: { atMost: 3 },
        note: 'both keep connections',
      },
      { ...figure, baseline: { name: 'the SDK by default (Connection: close)', values: callMs[1] } },
    ];
  },
};

/** Makes 3,000 calls, in the time in which the gateway serves as many. */
async function warmUpSdk(sdk: Subprocess, { quick }: RowOptions): Promise<void> {
  for (let n = 0; n < (quick ? 20 : 300); n += 1) await sdk.request(CALLS_IN_FLIGHT);
}
