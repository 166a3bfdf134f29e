import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:net';
import { Child, script } from '../child.js';
import { freePort } from '../free-port.js';
import { Cloud, Gateway } from '../gateway.js';
import type { Row } from '../row.js';

/** After so long a process has come to rest. */
const IDLE_AFTER_MS = 3000;

export const start: Row = {
  name: 'start',
  work: 'from the start of the process to 200 on /readyz, and what an idle process holds',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const took: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
    const resident: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
    const rounds = quick ? 5 : 15;
    const idleRounds = 3;
    // The first round only warms up: files are then in memory, and the compile cache is filled.
    for (let round = 0; round <= rounds; round += 1) {
      const [ours, gateway] = await timed((port) => Gateway.begin(cloud, port));
      const [theirs, hello] = await timed((port) => {
        const child = new Child(script('./servers/hello-world.js'), {
          env: { PORT: String(port), NODE_ENV: 'production' },
        });
        return { child, stop: () => child.stop() };
      });
      if (round > 0) {
        took.ours.push(ours);
        took.theirs.push(theirs);
      }
      if (round > 0 && round <= idleRounds) {
        await sleep(IDLE_AFTER_MS);
        resident.ours.push(gateway.child.residentBytes() / 2 ** 20);
        resident.theirs.push(hello.child.residentBytes() / 2 ** 20);
      }
      await Promise.all([gateway.stop(), hello.stop()]);
    }
    await cloud.stop();
    const name = 'bare Nest + Fastify hello world';
    return [
      {
        what: 'start to ready, ms',
        ours: { name: 'gateway', values: took.ours },
        theirs: { name, values: took.theirs },
        target: { atMost: 1.3 },
      },
      {
        what: 'idle resident memory, MiB',
        ours: { name: 'gateway', values: resident.ours },
        theirs: { name, values: resident.theirs },
        target: { atMost: 1.25 },
      },
    ];
  },
};

async function timed<T>(begin: (port: number) => T): Promise<[number, T]> {
  const port = await freePort();
  const startedAt = performance.now();
  const begun = begin(port);
  while (!(await ready(port))) await sleep(3);
  return [performance.now() - startedAt, begun];
}

/** Whether /readyz answers 200, asked with as little of a client as there can be. */
function ready(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
    );
    socket.on('data', (data) => resolve(data.subarray(9, 12).toString() === '200'));
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}
