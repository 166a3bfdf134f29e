import { setTimeout as sleep } from 'node:timers/promises';
import { AxiosCaller } from '../direct.js';
import { Child, script } from '../child.js';
import { Cloud, Gateway, ROOMY } from '../gateway.js';
import { inTurn } from '../in-turn.js';
import type { Figure, Row } from '../row.js';
import { quantile } from '../statistics.js';

const CALLS_PER_SECOND = 15;

/** A process that serves for days has compiled what it runs often: after so many calls of each side, so has this one. */
const WARM_UP = { perSecond: 50, count: 2000 };

export const latency: Row = {
  name: 'latency',
  work: '15 stops a second with axios: through the gateway (HTTP in, HTTPS out), and directly to the sandbox by HTTPS',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const gateway = await (await Gateway.start(cloud, { env: ROOMY })).open();
    const caller = new AxiosCaller(cloud.place);
    const hop = new Child(script('./servers/bare-hop.js'), { env: { CLOUD: JSON.stringify(cloud.place) } });
    const hopUrl = `http://127.0.0.1:${await hop.told<number>()}`;
    const sides = [
      () => caller.throughGateway(gateway.url),
      () => caller.directly(),
      () => caller.throughGateway(hopUrl),
    ];
    // So fast that a burst after a busy moment may be refused, which warms up as well.
    const warming = [() => caller.ifAdmitted(gateway.url), ...sides.slice(1)];
    await inTurn(warming, quick ? { ...WARM_UP, count: 200 } : WARM_UP);
    await sleep(1500);
    const quantiles = [0.5, 0.99].map((share) => ({
      share,
      ours: [] as number[],
      theirs: [] as number[],
      hop: [] as number[],
    }));
    for (let round = 0; round < (quick ? 3 : 7); round += 1) {
      const [ours, theirs, throughHop] = await inTurn(sides, { perSecond: CALLS_PER_SECOND, count: 100 });
      for (const each of quantiles) {
        each.ours.push(quantile(ours!, each.share));
        each.theirs.push(quantile(theirs!, each.share));
        each.hop.push(quantile(throughHop!, each.share));
      }
    }
    caller.close();
    await Promise.all([gateway, hop, cloud].map((each) => each.stop()));
    return quantiles.flatMap(({ share, ours, theirs, hop: values }): Figure[] => {
      const figure = {
        what: `p${share * 100} of a call, ms`,
        theirs: { name: 'axios directly', values: theirs },
        compared: 'difference',
      } as const;
      return [
        { ...figure, ours: { name: 'gateway', values: ours }, target: { atMost: share === 0.5 ? 0.7 : 3 } },
        {
          ...figure,
          ours: { name: 'bare hop', values },
          note: 'through a server that only passes something on',
        },
      ];
    });
  },
};
