import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdtemp, readFile, stat } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { send, stopTask } from '../../support/client.js';
import { gatewayEnvironment } from '../../support/environment.js';
import { eventually } from '../../support/eventually.js';
import { Fifo } from '../../support/fifo.js';
import { sandboxFixture, tempFolderFixture } from '../../support/fixtures.js';
import { freePort } from '../../support/free-port.js';
import { readMetric } from '../../support/metrics.js';
import { GatewayProcess, type SubprocessOptions } from '../../support/process.js';
import { type Program, resolveProgram } from '../../support/programs.js';

const DROPPED = 'ingest_gateway_log_lines_dropped_total';

/** Calls whose entries exceed the buffer of the system, 64 KiB, and that of the gateway, 4 MiB. */
const CALLS = { toFillPipe: 300, toFillBuffer: 5000 };
const LONG_TASK_ID = '長'.repeat(256);
const LONG_REQUEST_ID = 'r'.repeat(128);

const PRLIMIT: Program = {
  name: 'prlimit',
  packages: ['util-linux'],
  installHint: 'It is a program of util-linux, for Linux.',
};

const sandbox = await sandboxFixture({ acceptUnknownTasks: true });
const folder = await tempFolderFixture();
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** @throws SyntaxError when a line is not whole */
const parseLines = (text: string): Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

async function createFifo(): Promise<Fifo> {
  const fifo = new Fifo(await mkdtemp(join(folder, 'fifo-')));
  closing.push(() => fifo.closeReader());
  return fifo;
}

/** Starts a gateway whose log the test does not have: its URL is known by its port. */
async function start(
  stdout: NonNullable<SubprocessOptions['stdout']>,
): Promise<{ url: string; gateway: GatewayProcess }> {
  const port = await freePort();
  const variables = { ...gatewayEnvironment(sandbox), TRTC_ENDPOINT: sandbox.httpUrl, PORT: String(port) };
  const gateway = new GatewayProcess(variables, [], 'dist/gateway', { stdout });
  closing.push(() => gateway.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    if (gateway.hasExited) throw new Error(`the gateway has exited: ${(await gateway.finished).stderr}`);
    const response = await send(url, '/readyz', { method: 'GET' }).catch(() => undefined);
    return response?.status === 200;
  });
  return { url, gateway };
}

/** Stops the same task again and again. Each call has a log entry. */
async function stopRepeatedly(url: string, calls: number): Promise<Set<number>> {
  const statuses = new Set<number>();
  for (let left = calls; left > 0; left -= 50) {
    const batch = Array.from({ length: Math.min(left, 50) }, () =>
      stopTask(url, LONG_TASK_ID, '', { 'x-request-id': LONG_REQUEST_ID, prefer: 'wait=30' }),
    );
    for (const { status } of await Promise.all(batch)) statuses.add(status);
  }
  return statuses;
}

async function unreadSocket(): Promise<Socket> {
  const path = join(await mkdtemp(join(folder, 'socket-')), 'socket');
  const server: Server = createServer({ pauseOnConnect: true }, (socket) =>
    closing.push(() => socket.destroy()),
  );
  await new Promise<void>((resolve) => server.listen(path, resolve));
  closing.push(() => server.close());
  const socket = connect(path);
  await new Promise((resolve) => socket.once('connect', resolve));
  closing.push(() => socket.destroy());
  return socket;
}

/** Returns a stdout that accepts nothing, or nothing more after a few lines. */
const UNWRITABLE: Record<string, () => Promise<NonNullable<SubprocessOptions['stdout']>>> = {
  'a full disk': async () => {
    const descriptor = openSync('/dev/full', 'w');
    closing.push(() => closeSync(descriptor));
    return descriptor;
  },
  'a pipe that nobody reads': async () => {
    const fifo = await createFifo();
    closing.push(() => fifo.closeWriter());
    return fifo.writer;
  },
  'a pipe whose reader has exited': async () => {
    const fifo = await createFifo();
    fifo.closeReader();
    closing.push(() => fifo.closeWriter());
    return fifo.writer;
  },
  'a socket that nobody reads': unreadSocket,
};

describe('a gateway whose stdout is', () => {
  it.each(Object.keys(UNWRITABLE))('%s serves, and exits on SIGTERM', async (kind) => {
    const { url, gateway } = await start(await UNWRITABLE[kind]!());
    expect(await stopRepeatedly(url, CALLS.toFillPipe)).toEqual(new Set([200]));
    expect((await send(url, '/livez', { method: 'GET' })).status).toBe(200);
    expect(await gateway.stop('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('log lines', () => {
  it('are kept up to 4 MiB while nobody reads them, and the number of lost ones is logged once after that', async () => {
    const fifo = await createFifo();
    const { url, gateway } = await start(fifo.writer);
    fifo.closeWriter();
    await stopRepeatedly(url, CALLS.toFillBuffer);
    const dropped = await readMetric(url, DROPPED);
    const log = fifo.read();
    await eventually(() => log.text.includes('log-lines-dropped'));
    await stopRepeatedly(url, 1);
    await gateway.stop('SIGTERM');
    await eventually(() => log.text.includes('shutdown-completed'));
    const entries = parseLines(log.text);
    const kept = entries.filter(({ event }) => event === 'stop-completed').length;
    expect(entries.filter(({ event }) => event === 'log-lines-dropped')).toEqual([
      expect.objectContaining({ level: 'warn', count: dropped }),
    ]);
    expect(kept + dropped).toBe(CALLS.toFillBuffer + 1);
    expect(Buffer.byteLength(log.text)).toBeLessThan(4.3 * 1024 * 1024);
  });

  it('are written whole after a file that could not grow can grow again', async () => {
    const path = join(folder, 'file');
    const file = openSync(path, 'a');
    const { url, gateway } = await start(file);
    closeSync(file);
    const { size } = await stat(path);
    const limitFileSize = (bytes: string) =>
      execFileSync(resolveProgram(PRLIMIT), ['--pid', String(gateway.pid), `--fsize=${bytes}:unlimited`]);
    // The next entry is cut.
    limitFileSize(String(size + 100));
    expect(await stopRepeatedly(url, 5)).toEqual(new Set([200]));
    await eventually(async () => (await stat(path)).size === size + 100);
    limitFileSize('unlimited');
    expect(await gateway.stop('SIGTERM')).toMatchObject({ code: 0 });
    const entries = parseLines(await readFile(path, 'utf8'));
    expect(entries.map(({ event }) => event)).toEqual([
      'credentials-reloaded',
      'server-started',
      ...Array.from({ length: 5 }, () => 'stop-completed'),
      'shutdown-started',
      'shutdown-completed',
    ]);
  });

  it('are written after the reader of a pipe was replaced', async () => {
    const fifo = await createFifo();
    const { url, gateway } = await start(fifo.writer);
    fifo.closeReader();
    await stopRepeatedly(url, 1);
    const log = fifo.read();
    await eventually(() => log.text.includes('stop-completed'));
    fifo.closeWriter();
    expect(await gateway.stop('SIGTERM')).toMatchObject({ code: 0 });
  });
});
