import { compare, recordResponse, scriptSubject } from '../compare.js';
import { Cloud, Gateway } from '../gateway.js';
import { LoadGenerator, stopRequest } from '../load-generator.js';
import type { Row } from '../row.js';
import { SERVER_CORE, startScript } from '../script.js';

const perCpuSecond = (micros: number): number => 1e6 / micros;

const WRONG_KEY = 'a-key-that-nobody-has';

/** So many that most of the responses are not among the few that are delayed. */
const CONNECTIONS = 64;

export const unauthenticated: Row = {
  name: 'unauthenticated',
  workload: '401 for wrong keys over 64 connections that end with each response, the server on one core',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const gateway = await Gateway.start(cloud, { core: SERVER_CORE });
    const { headers, ...rest } = await recordResponse(gateway.url, WRONG_KEY, 401);
    // The gateway ends the connections of an address with many failures; the bare server does the same.
    const response = { ...rest, headers: { ...headers, connection: 'close' } };
    const bare = await startScript('./servers/bare-http.js', response, { core: SERVER_CORE });
    const generator = await LoadGenerator.start();
    const load = { head: stopRequest(WRONG_KEY), connections: CONNECTIONS, ms: quick ? 1500 : 2000 };
    const subjects = [
      scriptSubject('gateway', { child: gateway.child, ready: gateway.port }, '401'),
      scriptSubject('bare node:http, same bytes', bare, '401'),
    ];
    const [measured, baseline] = await compare(generator, subjects, load, quick ? 3 : 5);
    await Promise.all([generator, bare.child, gateway, cloud].map((each) => each.stop()));
    return [
      {
        metric: '401 per second of processor time',
        measured: { name: 'gateway', values: measured!.cpuMicros.map(perCpuSecond) },
        baseline: { name: baseline!.name, values: baseline!.cpuMicros.map(perCpuSecond) },
        target: { atLeast: 0.6 },
      },
      {
        metric: '401 per second (20 of the connections are delayed)',
        measured: { name: 'gateway', values: measured!.perSecond },
        baseline: { name: baseline!.name, values: baseline!.perSecond },
      },
    ];
  },
};
