import { Child, script } from '../child.js';
import { contest, sampleAnswer } from '../contest.js';
import { Flood, stopRequest } from '../flood.js';
import { Cloud, Gateway } from '../gateway.js';
import type { Row } from '../row.js';

const WRONG_KEY = 'a-key-that-nobody-has';

/** Enough that most of the answers are not among the few that are held back. */
const CONNECTIONS = 64;

export const unauthenticated: Row = {
  name: 'unauthenticated',
  work: 'answering 401 to wrong keys over 64 connections, which end with each answer, the server on one core',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const gateway = await Gateway.start(cloud, { core: 0 });
    const { headers, ...rest } = await sampleAnswer(gateway.url, WRONG_KEY, 401);
    // As the gateway ends the connections of those who go on guessing, so does the bare server.
    const ANSWER = JSON.stringify({ ...rest, headers: { ...headers, connection: 'close' } });
    const bare = new Child(script('./servers/bare-http.js'), { core: 0, env: { ANSWER } });
    const generator = await Flood.start();
    const order = { head: stopRequest(WRONG_KEY), connections: CONNECTIONS, ms: quick ? 1500 : 4000 };
    const [ours, theirs] = await contest(
      generator,
      [
        { name: 'gateway', port: gateway.port, cpuSeconds: () => gateway.child.cpuSeconds(), status: '401' },
        {
          name: 'bare node:http, same bytes',
          port: await bare.told<number>(),
          cpuSeconds: () => bare.cpuSeconds(),
          status: '401',
        },
      ],
      order,
      quick ? 3 : 5,
    );
    await Promise.all([generator, bare, gateway, cloud].map((each) => each.stop()));
    return [
      {
        what: '401 per second of processor time',
        ours: { name: 'gateway', values: ours!.cpuMicros.map(perSecond) },
        theirs: { name: theirs!.name, values: theirs!.cpuMicros.map(perSecond) },
        target: { atLeast: 0.6 },
      },
      {
        what: '401 per second (20 of the connections are held back)',
        ours: { name: 'gateway', values: ours!.perSecond },
        theirs: { name: theirs!.name, values: theirs!.perSecond },
      },
    ];
  },
};

function perSecond(micros: number): number {
  return 1e6 / micros;
}
