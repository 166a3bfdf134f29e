import { setTimeout as sleep } from 'node:timers/promises';
import { AxiosCaller } from '../axios-caller.js';
import type { SdkOptions } from '../clients/sdk.js';
import { Cloud, Gateway } from '../gateway.js';
import type { Row } from '../row.js';
import { LOAD_CORE, startScript } from '../script.js';

const INTERVAL_MS = 6000;
const ROUND_TRIP_MS = 40;

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
    const gateway = await Gateway.start(cloud, { endpoint: `https://127.0.0.1:${port}` });
    const caller = new AxiosCaller(cloud.address);
    const [sdk, keepAliveSdk] = await Promise.all([startSdk(false), startSdk(true), gateway.waitForSlots()]);
    const sides = [
      () => caller.throughGateway(gateway.url),
      () => sdk.request<number>('stop'),
      () => keepAliveSdk.request<number>('stop'),
    ];
    const callMs: [number[], number[], number[]] = [[], [], []];
    // The first round only warms up.
    for (let round = 0; round <= (quick ? 2 : 9); round += 1)
      for (const [index, call] of sides.entries()) {
        const due = performance.now() + INTERVAL_MS / sides.length;
        const ms = await call();
        if (round > 0) callMs[index]!.push(ms);
        await sleep(due - performance.now());
      }
    caller.close();
    await Promise.all([sdk, keepAliveSdk, proxy, gateway, cloud].map((each) => each.stop()));
    const figure = {
      metric: 'a call, ms',
      measured: { name: 'gateway', values: callMs[0] },
      target: { atMost: 0.5 },
    };
    return [
      { ...figure, baseline: { name: 'the SDK by default (Connection: close)', values: callMs[1] } },
      {
        ...figure,
        baseline: { name: 'the SDK with a keepAlive agent', values: callMs[2] },
        note: 'both keep connections: one round trip each is the limit',
      },
    ];
  },
};
