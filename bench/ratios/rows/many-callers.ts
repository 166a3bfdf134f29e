import { AxiosCaller } from '../direct.js';
import { Cloud, Gateway, ROOMY } from '../gateway.js';
import { inTurn } from '../in-turn.js';
import type { Row } from '../row.js';
import { median } from '../statistics.js';

export const manyCallers: Row = {
  name: 'many-callers',
  work: '15 stops a second with 5,000 callers configured, and with 5',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const [many, few] = await Promise.all([
      Gateway.start(cloud, { callers: 5000, env: ROOMY }),
      Gateway.start(cloud, { callers: 5, env: ROOMY }),
    ]);
    await few.open();
    const caller = new AxiosCaller(cloud.place);
    const sides = [() => caller.throughGateway(many.url, 2), () => caller.throughGateway(few.url, 2)];
    await inTurn(sides, { perSecond: 15, count: 45 });
    const p50: [number[], number[]] = [[], []];
    for (let round = 0; round < (quick ? 3 : 7); round += 1) {
      const [ours, theirs] = await inTurn(sides, { perSecond: 15, count: 45 });
      p50[0].push(median(ours!));
      p50[1].push(median(theirs!));
    }
    caller.close();
    await Promise.all([many, few, cloud].map((each) => each.stop()));
    return [
      {
        what: 'p50 of a call, ms',
        ours: { name: '5,000 callers', values: p50[0] },
        theirs: { name: 'with 5 callers', values: p50[1] },
        target: { atMost: 1.1 },
      },
    ];
  },
};
