import { connect, type Socket } from 'node:net';
import { constants, setPriority } from 'node:os';
import type { LoadOptions, LoadReport } from '../load-generator.js';
import { quantile } from '../statistics.js';

/*
 * Not a library: the client must cost far less for each response than the server, or it is the client that is measured.
 * autocannon parses every response in JavaScript and takes as long as a bare node:http server. This client reads only
 * the status and the length, and takes about a fifth.
 */

const HEAD_END = Buffer.from('\r\n\r\n');
const LENGTH = /content-length: (\d+)/i;
const CLOSES = /connection: close/i;

// It uses the whole core if it can, and gives priority to the sandbox and to calls that are measured there.
setPriority(constants.priority.PRIORITY_LOW);

let number = 0;

async function generateLoad(options: LoadOptions): Promise<LoadReport> {
  const { ports, head, connections, perSecond = Infinity, ms, count = Infinity } = options;
  const statuses: Record<string, number> = {};
  const admittedMs: number[] = [];
  const startedAt = performance.now();
  const deadline = startedAt + ms;
  let sent = 0;
  const isWanted = (): boolean => sent < count && performance.now() < deadline;
  const [before, after] = head.split('{n}') as [string, string];

  // Each connection has its own schedule, so that each server receives the same number of requests.
  const worker = async (index: number): Promise<void> => {
    const port = ports[index % ports.length]!;
    let sentByWorker = 0;
    const nextDelayMs = (): number =>
      startedAt + ((sentByWorker * connections + index) * 1000) / perSecond - performance.now();
    while (isWanted()) await useConnection(port, nextDelayMs, () => (sentByWorker += 1));
  };
  const useConnection = (port: number, nextDelayMs: () => number, onSend: () => void): Promise<void> =>
    new Promise((resolve) => {
      const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let rest: Buffer | undefined;
      let sentAt = 0;
      const next = (): void => {
        if (!isWanted()) return void socket.destroy();
        const delayMs = nextDelayMs();
        if (delayMs > 0) return void setTimeout(next, delayMs);
        onSend();
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
        const responseHead = headEnd === -1 ? '' : data.toString('latin1', 0, headEnd);
        const length = Number(LENGTH.exec(responseHead)?.[1]);
        if (headEnd === -1 || data.length < headEnd + 4 + length) {
          rest = data;
          return;
        }
        rest = undefined;
        const status = responseHead.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === '200') admittedMs.push(performance.now() - sentAt);
        if (CLOSES.test(responseHead)) socket.end();
        else next();
      });
    });

  // It must not sleep: a server would spend processor time on waking it, and a slower server more.
  let isRunning = true;
  const stayAwake = (): void => void (isRunning && setImmediate(stayAwake));
  stayAwake();
  await Promise.all(Array.from({ length: connections }, (_, index) => worker(index)));
  isRunning = false;
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    statuses,
    seconds,
    admittedMs: { p50: quantile(admittedMs, 0.5), p99: quantile(admittedMs, 0.99) },
  };
}

process.on(
  'message',
  (options: LoadOptions) => void generateLoad(options).then((report) => process.send!(report)),
);
process.send!('ready');
