import { answersOf, Flood, STOP } from '../flood.js';
import { Cloud, Gateway } from '../gateway.js';
import type { Holdings } from '../probe.js';
import type { Figure, Row } from '../row.js';
import { median } from '../statistics.js';

const CONNECTIONS = 32;
const FIRST = 10_000;
const MIB = 2 ** 20;

export const million: Row = {
  name: 'million',
  work: 'what a process holds, and what a scrape of /metrics takes, after a million requests',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const runtime = ['--expose-gc', '--import', new URL('../probe.js', import.meta.url).href];
    const gateway = await (await Gateway.start(cloud, { core: 0, runtime })).open();
    const idle = await Gateway.start(cloud);
    const generator = await Flood.start();
    let done = 0;
    const upTo = async (count: number): Promise<Holdings> => {
      while (done < count) {
        const order = { port: gateway.port, head: STOP, connections: CONNECTIONS, ms: 3_600_000 };
        done += answersOf(await generator.run({ ...order, count: Math.min(100_000, count - done) }));
        gateway.emptyLog();
      }
      return gateway.child.ask<Holdings>('holdings');
    };
    const early = await upTo(FIRST);
    const late = await upTo(quick ? 100_000 : 1_000_000);
    const scrapes: { busy: number[]; idle: number[] } = { busy: [], idle: [] };
    for (let round = 0; round <= 5; round += 1) {
      const busy = await scrapeMs(gateway.url);
      const calm = await scrapeMs(idle.url);
      if (round === 0) continue;
      scrapes.busy.push(busy);
      scrapes.idle.push(calm);
    }
    await Promise.all([generator, gateway, idle, cloud].map((each) => each.stop()));
    const after = `after ${done.toLocaleString('en')}`;
    const held = (what: string, of: keyof Holdings): Figure => ({
      what: `${what}, MiB`,
      ours: { name: after, values: [late[of] / MIB] },
      theirs: { name: 'after 10,000', values: [early[of] / MIB] },
      target: { atMost: 1.05 },
    });
    return [
      held('resident memory', 'residentBytes'),
      held('heap', 'heapBytes'),
      {
        what: 'scrape of /metrics, ms',
        ours: { name: after, values: scrapes.busy },
        theirs: { name: 'an idle process', values: scrapes.idle },
        target: { atMost: 1.2 },
      },
    ];
  },
};

async function scrapeMs(url: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 30; n += 1) {
    const startedAt = performance.now();
    await (await fetch(`${url}/metrics`)).text();
    times.push(performance.now() - startedAt);
  }
  return median(times);
}
