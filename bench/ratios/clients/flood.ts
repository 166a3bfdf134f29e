import { connect, type Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import type { FloodOrder, FloodReport } from '../flood.js';
import { quantile } from '../statistics.js';

/*
 * A client of its own rather than a library: it must cost far less for each answer than the server under it, or the
 * server would not be what is measured. autocannon parses every answer in JavaScript and takes as long for one as a
 * bare node:http server; this one looks at the status and the length and takes about a fifth.
 */

const HEAD_END = Buffer.from('\r\n\r\n');
const LENGTH = /content-length: (\d+)/i;
const CLOSES = /connection: close/i;

// It takes a core of its own if it can have it, and makes way for the sandbox and the calls that are measured there.
setPriority(constants.priority.PRIORITY_LOW);

let number = 0;

async function flood({ port, head, connections, ms, count = Infinity }: FloodOrder): Promise<FloodReport> {
  const statuses: Record<string, number> = {};
  const admittedMs: number[] = [];
  const ends = performance.now() + ms;
  const startedAt = performance.now();
  let sent = 0;
  const wanted = (): boolean => sent < count && performance.now() < ends;
  const [before, after] = head.split('{n}') as [string, string];

  const worker = async (): Promise<void> => {
    while (wanted()) await overOneConnection();
  };
  const overOneConnection = (): Promise<void> =>
    new Promise((resolve) => {
      const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let rest: Buffer | undefined;
      let sentAt = 0;
      const next = (): void => {
        if (!wanted()) return void socket.destroy();
        sent += 1;
        number += 1;
        sentAt = performance.now();
        socket.write(before + number + after, 'latin1');
      };
      socket.once('connect', next);
      socket.once('close', () => resolve());
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        const data = rest ? Buffer.concat([rest, chunk]) : chunk;
        const headEnd = data.indexOf(HEAD_END);
        const answer = headEnd === -1 ? '' : data.toString('latin1', 0, headEnd);
        const length = Number(LENGTH.exec(answer)?.[1]);
        if (headEnd === -1 || data.length < headEnd + 4 + length) {
          rest = data;
          return;
        }
        rest = undefined;
        const status = answer.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === '200') admittedMs.push(performance.now() - sentAt);
        if (CLOSES.test(answer)) socket.end();
        else next();
      });
    });

  // On a core of its own it need not sleep, and must not: the servers would pay for waking it, the slower the more.
  let awake = true;
  const stayAwake = (): void => void (awake && setImmediate(stayAwake));
  stayAwake();
  await Promise.all(Array.from({ length: connections }, worker));
  awake = false;
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    statuses,
    seconds,
    admittedMs: { p50: quantile(admittedMs, 0.5), p99: quantile(admittedMs, 0.99) },
  };
}

process.on('message', (order: FloodOrder) => void flood(order).then((report) => process.send!(report)));
process.send!('ready');
