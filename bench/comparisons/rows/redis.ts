import { admitted, AxiosCaller } from '../axios-caller.js';
import { callAtRate } from '../call-at-rate.js';
import { compare, scriptSubject } from '../compare.js';
import { Cloud, Gateway } from '../gateway.js';
import { LoadGenerator, STOP_REQUEST } from '../load-generator.js';
import { CountingRedis } from '../redis.js';
import type { Row } from '../row.js';
import { SERVER_CORE } from '../script.js';
import { median } from '../statistics.js';

const CALLS = 60;

export const redis: Row = {
  name: 'redis',
  workload: 'the gateway with slots in Redis, and with slots in its own process',
  async measure({ quick }) {
    const [cloud, redisProcess] = await Promise.all([Cloud.start(), CountingRedis.start()]);
    const [shared, local] = await Promise.all([
      Gateway.start(cloud, { core: SERVER_CORE, env: { REDIS_URL: redisProcess.url } }),
      Gateway.start(cloud, { core: SERVER_CORE }),
    ]);
    const generator = await LoadGenerator.start();
    await local.waitForSlots();
    const subjects = [shared, local].map((gateway) =>
      scriptSubject('', { child: gateway.child, ready: gateway.port }, '429', () => gateway.truncateLog()),
    );
    const load = { head: STOP_REQUEST, connections: 32, ms: quick ? 1500 : 3000 };
    const [measured, baseline] = await compare(generator, subjects, load, quick ? 3 : 5);
    await local.waitForSlots();
    const caller = new AxiosCaller(cloud.address);
    // After the machine was busy, calls come in a burst, and some of them may be rejected.
    const sides = [() => caller.ifAdmitted(shared.url), () => caller.ifAdmitted(local.url)];
    await callAtRate(sides, { perSecond: 15, count: 15 });
    await redisProcess.commandCounts();
    const p50 = { shared: [] as number[], local: [] as number[] };
    const startedAt = performance.now();
    let calls = 0;
    let released = 0;
    for (let round = 0; round < (quick ? 2 : 5); round += 1, calls += CALLS) {
      const [sharedMs, localMs] = await callAtRate(sides, { perSecond: 15, count: CALLS });
      const admittedMs = admitted(sharedMs!);
      released += admittedMs.length;
      p50.shared.push(median(admittedMs));
      p50.local.push(median(admitted(localMs!)));
    }
    const { evalsha = 0, get = 0 } = await redisProcess.commandCounts();
    // The heartbeat, one a second, is not a cost of calls.
    const heartbeats = (performance.now() - startedAt) / 1000;
    caller.close();
    await Promise.all([generator, shared, local, cloud, redisProcess].map((each) => each.stop()));
    const name = 'with Redis';
    const inProcess = 'in-process';
    // Every admitted call releases its slot after the call.
    const before = evalsha + get - heartbeats - released;
    return [
      {
        metric: 'decisions per second (429)',
        measured: { name, values: measured!.perSecond },
        baseline: { name: inProcess, values: baseline!.perSecond },
      },
      {
        metric: 'p50 of a call at 15 a second, ms',
        measured: { name, values: p50.shared },
        baseline: { name: inProcess, values: p50.local },
        comparison: 'difference',
      },
      {
        metric: 'commands to Redis before the call',
        measured: { name, values: [Math.round((before / calls) * 10) / 10] },
        target: { atMost: 1 },
      },
    ];
  },
};
