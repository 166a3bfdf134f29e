import { setTimeout as sleep } from 'node:timers/promises';
import { AxiosCaller } from '../axios-caller.js';
import type { SdkOptions } from '../clients/sdk.js';
import { callAtRate } from '../call-at-rate.js';
import { Cloud, Gateway, LARGE_QUOTA } from '../gateway.js';
import type { Row } from '../row.js';
import { LOAD_CORE, startScript } from '../script.js';

const INTERVAL_MS = 6000;
const ROUND_TRIP_MS = 40;
const WARM_UP = { perSecond: 40, count: 3000 };

export const lowRate: Row = {
  name: 'low-rate',
  workload:
    'one stop every 6 s with 40 ms round trip to the cloud: through the gateway, and with the SDK directly',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const { child: proxy, ready: port } = await startScript(
      './servers/delay-proxy.js',
      { port: Number(new URL(cloud.address.httpsUrl).port), roundTripMs: ROUND_TRIP_MS },
      { core: LOAD_CORE },
    );
    const startSdk = async (keepAlive: boolean) => {
      const options: SdkOptions = { ...cloud.address, port, keepAlive };
      return (await startScript('./clients/sdk.js', options)).child;
    };
    const gateway = await Gateway.start(cloud, {
      endpoint: `https://127.0.0.1:${port}`,
      env: LARGE_QUOTA,
    });
    const caller = new AxiosCaller(cloud.address);
    const [sdk, keepAliveSdk] = await Promise.all([startSdk(false), startSdk(true), gateway.waitForSlots()]);
    const sides = [
      () => caller.throughGateway(gateway.url),
      () => sdk.request<number>('stop'),
      () => keepAliveSdk.request<number>('stop'),
    ];
    if (!quick)
      await warmUp(
        () => caller.throughGateway(gateway.url),
        () => keepAliveSdk.request('stop'),
      );
    const callMs: [number[], number[], number[]] = [[], [], []];
    // The first round only warms up.
    for (let round = 0; round <= (quick ? 2 : 60); round += 1)
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

/** Makes V8 optimise the code of a call: the gateway's with 3,000 calls, and the SDK's for the same time. */
async function warmUp(callGateway: () => Promise<number>, callSdk: () => Promise<number>): Promise<void> {
  let isDone = false;
  const sdk = (async () => {
    for (;;) {
      await callSdk();
      if (isDone) return;
    }
  })();
  await callAtRate([callGateway], WARM_UP);
  isDone = true;
  await sdk;
}
