import { Flood, STOP } from '../flood.js';
import { contest } from '../contest.js';
import { admitted, AxiosCaller } from '../direct.js';
import { Cloud, Gateway } from '../gateway.js';
import { inTurn } from '../in-turn.js';
import { CountedRedis } from '../redis.js';
import type { Row } from '../row.js';
import { median } from '../statistics.js';

const CALLS = 60;

export const redis: Row = {
  name: 'redis',
  work: 'the same gateway with its slots in Redis, and in its own process',
  async measure({ quick }) {
    const [cloud, store] = await Promise.all([Cloud.start(), CountedRedis.start()]);
    const [shared, alone] = await Promise.all([
      Gateway.start(cloud, { core: 0, env: { REDIS_URL: store.url } }),
      Gateway.start(cloud, { core: 0 }),
    ]);
    const generator = await Flood.start();
    await alone.open();
    const contestants = [shared, alone].map((gateway) => ({
      name: '',
      port: gateway.port,
      cpuSeconds: () => gateway.child.cpuSeconds(),
      status: '429',
      afterRound: () => gateway.emptyLog(),
    }));
    const order = { head: STOP, connections: 32, ms: quick ? 1500 : 3000 };
    const [ours, theirs] = await contest(generator, contestants, order, quick ? 3 : 5);
    await alone.open();
    const caller = new AxiosCaller(cloud.place);
    // After a moment in which the machine was busy, calls come in a burst, and some of it may be refused.
    const sides = [() => caller.ifAdmitted(shared.url), () => caller.ifAdmitted(alone.url)];
    await inTurn(sides, { perSecond: 15, count: 15 });
    await store.calls();
    const p50: [number[], number[]] = [[], []];
    const startedAt = performance.now();
    let calls = 0;
    let givenBack = 0;
    for (let round = 0; round < (quick ? 2 : 5); round += 1, calls += CALLS) {
      const [own, other] = await inTurn(sides, { perSecond: 15, count: CALLS });
      const lent = admitted(own!);
      givenBack += lent.length;
      p50[0].push(median(lent));
      p50[1].push(median(admitted(other!)));
    }
    const { evalsha = 0, get = 0 } = await store.calls();
    // The replica's heartbeat of every second is not a cost of calls.
    const heartbeats = (performance.now() - startedAt) / 1000;
    caller.close();
    await Promise.all([generator, shared, alone, cloud, store].map((each) => each.stop()));
    const name = 'with Redis';
    const inProcess = 'in-process';
    // Every call that is admitted gives its slot back when it is over; what is told of the task's end is not asked for.
    const before = evalsha + get - heartbeats - givenBack;
    return [
      {
        what: 'decisions per second (429)',
        ours: { name, values: ours!.perSecond },
        theirs: { name: inProcess, values: theirs!.perSecond },
      },
      {
        what: 'p50 of a call at 15 a second, ms',
        ours: { name, values: p50[0] },
        theirs: { name: inProcess, values: p50[1] },
        compared: 'difference',
      },
      {
        what: 'commands to Redis before the call',
        ours: { name, values: [Math.round((before / calls) * 10) / 10] },
        target: { atMost: 1 },
      },
    ];
  },
};
