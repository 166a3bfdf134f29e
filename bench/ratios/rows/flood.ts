import { Child, script } from '../child.js';
import { type Contestant, contest, sampleAnswer } from '../contest.js';
import { Flood, STOP } from '../flood.js';
import { Cloud, Gateway, keyOf } from '../gateway.js';
import { Nginx } from '../nginx.js';
import type { Figure, Row } from '../row.js';

const CONNECTIONS = 32;

export const flood: Row = {
  name: 'flood',
  work: 'refusing with 429 what is over the quota, over 32 connections kept alive, the server on one core',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const gateway = await (await Gateway.start(cloud, { core: 0 })).open();
    const ANSWER = JSON.stringify(await sampleAnswer(gateway.url, keyOf(0), 429));
    const bare = new Child(script('./servers/bare-http.js'), { core: 0, env: { ANSWER } });
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
      ])),
      ...(nginx
        ? [{ name: 'nginx limit_req', port: nginx.port, cpuSeconds: () => nginx.cpuSeconds(), status: '429' }]
        : []),
    ];
    const generator = await Flood.start();
    const order = { head: STOP, connections: CONNECTIONS, ms: quick ? 1500 : 4000 };
    const [ours, ...others] = await contest(generator, contestants, order, quick ? 3 : 7);
    await Promise.all([generator, bare, throttler, gateway, cloud].map((each) => each.stop()));
    await nginx?.stop();
    const targets = [{ atLeast: 0.8 }, { atLeast: 2.5 }, undefined];
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

async function onNode(name: string, child: Child): Promise<Contestant> {
  return { name, port: await child.told<number>(), cpuSeconds: () => child.cpuSeconds(), status: '429' };
}
