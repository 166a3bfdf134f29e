import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { bearerHeader, callerEntry } from '../support/callers-file.js';
import { send, stopTask } from '../support/client.js';
import { gatewayEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { tempFolderFixture } from '../support/fixtures.js';
import { readMetric, sumSeries } from '../support/metrics.js';
import { GatewayProcess } from '../support/process.js';

const callersFile = join(await tempFolderFixture(), 'callers.json');
await writeFile(
  callersFile,
  JSON.stringify([callerEntry('greedy', 'igw_greedy'), callerEntry('modest', 'igw_modest')]),
);
let sandbox: Sandbox;
let gateway: GatewayProcess;
let url: string;
let sockets: Socket[] = [];

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 1000 });
});

afterAll(() => sandbox.close());

beforeEach(async () => {
  gateway = new GatewayProcess({
    ...gatewayEnvironment(sandbox),
    TRTC_ENDPOINT: sandbox.httpUrl,
    ALLOW_ANONYMOUS: '',
    CALLERS_FILE: callersFile,
  });
  url = await gateway.url();
  // What is loaded at the first request does not count.
  for (const path of ['/docs/swagger-ui-bundle.js', '/openapi.json', '/metrics', '/problems'])
    await get(path);
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  await gateway.stop();
});

const MEBIBYTE = 1024 * 1024;
const openFiles = () => readdirSync(`/proc/${gateway.pid}/fd`).length;
/** On a new connection: the gateway may close an idle one. */
const get = (path: string) => send(url, path, { method: 'GET', headers: { connection: 'close' } });
const livez = async () => (await get('/livez')).status;

/** Opens connections that write these bytes as fast as they can and never read. */
function flood(count: number, bytes: string, repeat: number): void {
  const { hostname, port } = new URL(url);
  for (let n = 0; n < count; n += 1) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.pause();
    socket.write(bytes.repeat(repeat));
    sockets.push(socket);
  }
}

/** Waits until the gateway reads nothing more: until it uses next to no processor time. */
async function untilQuiet(): Promise<void> {
  let previous = gateway.cpuSeconds();
  await eventually(async () => {
    for (let n = 0; n < 20; n += 1) expect(await livez()).toBe(200);
    const now = gateway.cpuSeconds();
    const isQuiet = now - previous < 0.1;
    previous = now;
    return isQuiet;
  }, 60_000);
}

const requestFor = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

describe('25 connections that pipeline 1,200 requests each and never read', () => {
  it.each([
    ['a file', requestFor('/docs/swagger-ui-bundle.js')],
    ['metrics', requestFor('/metrics')],
    ['the OpenAPI document', requestFor('/openapi.json')],
    ['problem pages', requestFor('/problems')],
    ['unknown routes', requestFor('/nowhere')],
    ['stops', 'DELETE /ingest-tasks/a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer none\r\n\r\n'],
    ['the smallest requests', 'GET / HTTP/1.1\r\n\r\n'],
    ['empty lines', '\r\n'],
  ])('use at most 96 MiB and one file descriptor each: %s', async (_, request) => {
    const files = openFiles();
    const bytes = gateway.residentBytes();
    flood(25, request, 1200);
    await untilQuiet();
    expect(openFiles() - files).toBeLessThanOrEqual(25 + 5);
    expect((gateway.residentBytes() - bytes) / MEBIBYTE).toBeLessThan(96);
    expect(gateway.hasExited).toBe(false);
  });
});

const stop = (taskId: string, key = 'igw_greedy') =>
  `DELETE /ingest-tasks/${taskId} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nPrefer: wait=30\r\n\r\n`;

describe('100,000 calls of one caller for one task over one connection, which may wait 30 s each', () => {
  it.each([
    ['that reads all responses', true],
    ['that never reads', false],
  ])('use at most 96 MiB, and never more than 16 places in the queue: %s', async (_, reads) => {
    const task = { fault: { kind: 'slow', ms: 500 }, taskId: 'one-task' } as const;
    sandbox.setFaults([{ ...task, times: 1 }]);
    const bytes = gateway.residentBytes();
    flood(1, stop('one-task'), 100_000);
    if (reads) sockets[0]!.resume();
    let queued = 0;
    for (let n = 0; n < 50; n += 1) {
      queued = Math.max(queued, await readMetric(url, 'ingest_gateway_quota_queue_length'));
      expect((await stopTask(url, `modest-${n}`, '', bearerHeader('igw_modest'))).status).not.toBe(500);
    }
    if (reads) await eventually(() => sockets[0]!.bytesRead > 100_000 * 200, 120_000);
    else await untilQuiet();
    expect(queued).toBeLessThanOrEqual(16);
    expect((gateway.residentBytes() - bytes) / MEBIBYTE).toBeLessThan(96);
  });
});

const countLivez = async () =>
  sumSeries((await get('/metrics')).text, 'http_server_request_duration_seconds_count{route="/livez"}');

describe('all connections together', () => {
  const manyStops = Array.from({ length: 40 }, (_, n) => stop(`many-${n}`)).join('');

  it.each([
    ['without a key, that pipeline and never read', requestFor('/livez'), 2000],
    ['without a key, whose headers never end', `GET / HTTP/1.1\r\nHost: a\r\nA: ${'a'.repeat(15_000)}`, 1],
    ['of one caller, that pipeline waiting stops and never read', manyStops, 50],
    ['of one caller, that pipeline waiting stops of one task and never read', stop('one-task'), 2000],
  ])('use at most 384 MiB and 8192 file descriptors: %s', async (_, request, repeat) => {
    const files = openFiles();
    const bytes = gateway.residentBytes();
    let peak = 0;
    for (let n = 0; n < 10_000; n += 100) {
      flood(100, request, repeat);
      // A response proves that the gateway has had time to accept connections.
      expect(await livez()).toBe(200);
      peak = Math.max(peak, gateway.residentBytes());
    }
    for (let n = 0; n < 50; n += 1) {
      expect((await get('/readyz')).status).toBe(200);
      expect(openFiles() - files).toBeLessThanOrEqual(8192 + 50);
      peak = Math.max(peak, gateway.residentBytes());
    }
    expect((peak - bytes) / MEBIBYTE).toBeLessThan(384);
    expect(gateway.hasExited).toBe(false);
  });

  it('delay a scrape by few pipelined requests of others', async () => {
    flood(1000, requestFor('/livez'), 4000);
    await eventually(() => openFiles() > 1000);
    const delays: number[] = [];
    let previous = await countLivez();
    for (let n = 0; n < 10; n += 1) {
      const now = await countLivez();
      delays.push(now - previous);
      previous = now;
    }
    // Without a limit, each of the few turns that a scrape takes would serve a request of each connection.
    expect(Math.min(...delays)).toBeLessThan(1000);
    expect(Math.max(...delays)).toBeGreaterThan(0);
  });

  it('are closed when they send one byte a second, and other clients are served meanwhile', async () => {
    const bytes = gateway.residentBytes();
    flood(2000, 'GET / HTTP/1.1\r\nHost: a\r\nA: ', 1);
    const slow = sockets;
    let closed = 0;
    for (const socket of slow) socket.resume().on('close', () => (closed += 1));
    const sending = setInterval(() => {
      for (const socket of slow) socket.write('a');
    }, 1000);
    try {
      await eventually(async () => {
        expect(await livez()).toBe(200);
        return closed === slow.length;
      }, 60_000);
    } finally {
      clearInterval(sending);
    }
    expect((gateway.residentBytes() - bytes) / MEBIBYTE).toBeLessThan(64);
  });
});
