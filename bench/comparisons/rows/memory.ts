import { Cloud, Gateway } from '../gateway.js';
import { LoadGenerator, responseCount, STOP_REQUEST } from '../load-generator.js';
import type { MemoryUsage } from '../memory-probe.js';
import type { Figure, Row } from '../row.js';
import { SERVER_CORE } from '../script.js';
import { median } from '../statistics.js';

const FIRST = 100_000;
const MIB = 2 ** 20;

export const memory: Row = {
  name: 'memory',
  workload: 'the memory of a process, and the time of a scrape of /metrics, after a million requests',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const nodeArguments = ['--expose-gc', '--import', new URL('../memory-probe.js', import.meta.url).href];
    const gateway = await (await Gateway.start(cloud, { core: SERVER_CORE, nodeArguments })).waitForSlots();
    const idle = await Gateway.start(cloud);
    const generator = await LoadGenerator.start();
    let done = 0;
    const usageAfter = async (total: number): Promise<MemoryUsage> => {
      while (done < total) {
        const count = Math.min(100_000, total - done);
        const load = { ports: [gateway.port], head: STOP_REQUEST, connections: 32, ms: 3_600_000, count };
        done += responseCount(await generator.run(load));
        gateway.truncateLog();
      }
      return gateway.child.request<MemoryUsage>('usage');
    };
    const early = await usageAfter(FIRST);
    const late = await usageAfter(quick ? 200_000 : 1_000_000);
    const scrapes = { loaded: [] as number[], idle: [] as number[] };
    for (let round = 0; round <= 5; round += 1) {
      const loadedMs = await scrapeMs(gateway.url);
      const idleMs = await scrapeMs(idle.url);
      // The first round only warms up.
      if (round === 0) continue;
      scrapes.loaded.push(loadedMs);
      scrapes.idle.push(idleMs);
    }
    await Promise.all([generator, gateway, idle, cloud].map((each) => each.stop()));
    const name = `after ${done.toLocaleString('en')}`;
    const memoryFigure = (metric: string, key: keyof MemoryUsage): Figure => ({
      metric,
      measured: { name, values: [late[key] / MIB] },
      baseline: { name: 'after 100,000', values: [early[key] / MIB] },
      target: { atMost: 1.05 },
    });
    return [
      memoryFigure('resident memory, MiB', 'residentBytes'),
      memoryFigure('heap, MiB', 'heapBytes'),
      {
        metric: 'scrape of /metrics, ms',
        measured: { name, values: scrapes.loaded },
        baseline: { name: 'an idle process', values: scrapes.idle },
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
