import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:net';
import { freePort } from '../../../test/support/free-port.js';
import { Subprocess } from '../../../test/support/process.js';
import { Cloud, Gateway } from '../gateway.js';
import type { Row } from '../row.js';

/** Until the process is idle. */
const IDLE_MS = 3000;

const HELLO_WORLD = new URL('../servers/hello-world.js', import.meta.url).pathname;

export const start: Row = {
  name: 'start',
  workload: 'the time from the start of the process to 200 on /readyz, and the memory of the idle process',
  async measure({ quick }) {
    const cloud = await Cloud.start();
    const startMs = { gateway: [] as number[], hello: [] as number[] };
    const residentMib = { gateway: [] as number[], hello: [] as number[] };
    const rounds = quick ? 5 : 15;
    const idleRounds = 3;
    // The first round only warms up: it fills the file cache and the compile cache.
    for (let round = 0; round <= rounds; round += 1) {
      const [gatewayMs, gateway] = await timeStart((port) => Gateway.spawn(cloud, port));
      const [helloMs, hello] = await timeStart(
        (port) =>
          new Subprocess([process.execPath, HELLO_WORLD], {
            env: { PORT: String(port), NODE_ENV: 'production' },
            stdout: 'ignore',
            stderr: 'inherit',
          }),
      );
      if (round > 0) {
        startMs.gateway.push(gatewayMs);
        startMs.hello.push(helloMs);
      }
      if (round > 0 && round <= idleRounds) {
        await sleep(IDLE_MS);
        residentMib.gateway.push(gateway.child.residentBytes() / 2 ** 20);
        residentMib.hello.push(hello.residentBytes() / 2 ** 20);
      }
      await Promise.all([gateway.stop(), hello.stop()]);
    }
    await cloud.stop();
    const name = 'bare Nest + Fastify hello world';
    return [
      {
        metric: 'start to ready, ms',
        measured: { name: 'gateway', values: startMs.gateway },
        baseline: { name, values: startMs.hello },
        target: { atMost: 1.1 },
      },
      {
        metric: 'idle resident memory, MiB',
        measured: { name: 'gateway', values: residentMib.gateway },
        baseline: { name, values: residentMib.hello },
        target: { atMost: 1.15 },
      },
    ];
  },
};

async function timeStart<T>(spawn: (port: number) => T): Promise<[ms: number, started: T]> {
  const port = await freePort();
  const startedAt = performance.now();
  const started = spawn(port);
  while (!(await isReady(port))) await sleep(3);
  return [performance.now() - startedAt, started];
}

/** Whether /readyz responds with 200; the client does as little as possible. */
function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
    );
    socket.on('data', (data) => resolve(data.subarray(9, 12).toString() === '200'));
    socket.on('error', () => resolve(false));
    socket.on('close', () => resolve(false));
  });
}
