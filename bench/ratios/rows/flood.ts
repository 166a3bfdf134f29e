import { hash } from 'node:crypto';
import { Child, script } from '../child.js';
import { type Contestant, contest, sampleAnswer } from '../contest.js';
import { Flood, STOP } from '../flood.js';
import { Cloud, Gateway, keyOf } from '../gateway.js';
import { LogFile } from '../log-file.js';
import { Nginx } from '../nginx.js';
import type { Figure, Row } from '../row.js';

const CONNECTIONS = 32;

export const flood: Row = {
  name: 'flood',
  work: 'refusing with 429 what is over the quota, over 32 connections kept alive, the server on one core',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const gateway = await (await Gateway.start(cloud, { core: 0 })).open();
    const answer = await sampleAnswer(gateway.url, keyOf(0), 429);
    const bare = new Child(script('./servers/bare-http.js'), {
      core: 0,
      env: { ANSWER: JSON.stringify(answer) },
    });
    const log = new LogFile();
    const dutiful = new Child(script('./servers/dutiful-http.js'), {
      core: 0,
      env: { DUTIES: JSON.stringify({ answer, keySha256: hash('sha256', keyOf(0)) }) },
      printTo: log.descriptor,
    });
    const throttler = new Child(script('./servers/throttler.js'), {
      core: 0,
      env: { NODE_ENV: 'production' },
    });
    const nginx = await Nginx.start();
    const contestants: Contestant[] = [
      {
        name: 'gateway',
        port: gateway.port,
        cpuSeconds: () => gateway.child.cpuSeconds(),
        status: '429',
        afterRound: () => gateway.emptyLog(),
      },
      ...(await Promise.all([
        onNode('bare node:http, same bytes', bare),
        onNode('Nest, Express, @nestjs/throttler', throttler),
        onNode('bare node:http with the duties of a refusal', dutiful, () => log.empty()),
      ])),
      ...(nginx
        ? [{ name: 'nginx limit_req', port: nginx.port, cpuSeconds: () => nginx.cpuSeconds(), status: '429' }]
        : []),
    ];
    const generator = await Flood.start();
    const order = { head: STOP, connections: CONNECTIONS, ms: quick ? 1500 : 4000 };
    const [ours, ...others] = await contest(generator, contestants, order, quick ? 3 : 7);
    await Promise.all([generator, bare, throttler, dutiful, gateway, cloud].map((each) => each.stop()));
    await nginx?.stop();
    log.remove();
    const targets = [{ atLeast: 0.8 }, { atLeast: 2.5 }];
    const figures = others.map((other, place): Figure => {
      const target = targets[place];
      return {
        what: '429 per second',
        ours: { name: 'gateway', values: ours!.perSecond },
        theirs: { name: other.name, values: other.perSecond },
        ...(target && { target }),
      };
    });
    const cpu: Figure = {
      what: 'processor time for one 429, µs',
      ours: { name: 'gateway', values: ours!.cpuMicros },
      theirs: { name: others[0]!.name, values: others[0]!.cpuMicros },
    };
    return [...figures, ...(nginx ? [] : [NOT_INSTALLED]), cpu];
  },
};

const NOT_INSTALLED: Figure = {
  what: '429 per second against nginx limit_req: not installed',
  ours: { name: 'gateway', values: [] },
};

async function onNode(name: string, child: Child, afterRound = (): void => {}): Promise<Contestant> {
  const port = await child.told<number>();
  return { name, port, cpuSeconds: () => child.cpuSeconds(), status: '429', afterRound };
}
