import { setTimeout as sleep } from 'node:timers/promises';
import { Child, script } from '../child.js';
import type { SdkOrder } from '../clients/sdk.js';
import { AxiosCaller } from '../direct.js';
import { Cloud, Gateway } from '../gateway.js';
import type { Row } from '../row.js';

const EVERY_MS = 6000;
const ROUND_TRIP_MS = 40;

export const seldom: Row = {
  name: 'seldom',
  work: 'one stop every 6 s with 40 ms round trip to the cloud: through the gateway, and with the SDK directly',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const farAway = new Child(script('./servers/far-away.js'), {
      core: 1,
      env: {
        FAR_AWAY: JSON.stringify({
          port: Number(new URL(cloud.place.httpsUrl).port),
          roundTripMs: ROUND_TRIP_MS,
        }),
      },
    });
    const port = await farAway.told<number>();
    const gateway = await Gateway.start(cloud, { endpoint: `https://127.0.0.1:${port}` });
    const caller = new AxiosCaller(cloud.place);
    const sdk = (keepAlive: boolean): Child =>
      new Child(script('./clients/sdk.js'), {
        env: { SDK: JSON.stringify({ ...cloud.place, port, keepAlive } satisfies SdkOrder) },
      });
    const asItComes = sdk(false);
    const keptAlive = sdk(true);
    await Promise.all([asItComes.told(), keptAlive.told(), gateway.open()]);
    const sides = [
      () => caller.throughGateway(gateway.url),
      () => asItComes.ask<number>('stop'),
      () => keptAlive.ask<number>('stop'),
    ];
    const taken: number[][] = sides.map(() => []);
    // The first round only warms up.
    for (let round = 0; round <= (quick ? 2 : 9); round += 1)
      for (const [place, call] of sides.entries()) {
        const due = performance.now() + EVERY_MS / sides.length;
        const ms = await call();
        if (round > 0) taken[place]!.push(ms);
        await sleep(due - performance.now());
      }
    caller.close();
    await Promise.all([asItComes, keptAlive, farAway, gateway, cloud].map((each) => each.stop()));
    const [own, without, withAgent] = taken as [number[], number[], number[]];
    const ours = { name: 'gateway', values: own };
    return [
      {
        what: 'a call, ms',
        ours,
        theirs: { name: 'the SDK as it comes (Connection: close)', values: without },
        target: { atMost: 0.5 },
      },
      {
        what: 'a call, ms',
        ours,
        theirs: { name: 'the SDK with a keepAlive agent', values: withAgent },
        target: { atMost: 0.5 },
        note: 'warm as well: one round trip each is the limit',
      },
    ];
  },
};
