import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { send } from '../support/client.js';
import { gatewayEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { GatewayProcess } from '../support/process.js';

let sandbox: Sandbox;
let gateway: GatewayProcess;
let url: string;
let sockets: Socket[] = [];

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 1000 });
});

afterAll(() => sandbox.close());

beforeEach(async () => {
  gateway = new GatewayProcess({ ...gatewayEnvironment(sandbox), TRTC_ENDPOINT: sandbox.httpUrl });
  url = await gateway.url();
  // What is loaded at the first request does not count.
  for (const path of ['/docs/swagger-ui-bundle.js', '/openapi.json', '/metrics', '/problems'])
    await send(url, path, { method: 'GET' });
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets = [];
  await gateway.stop();
});

const MEBIBYTE = 1024 * 1024;
const openFiles = () => readdirSync(`/proc/${gateway.pid}/fd`).length;
const livez = async () => (await send(url, '/livez', { method: 'GET' })).status;

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

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

describe('25 connections that pipeline 1,200 requests each and never read', () => {
  it.each([
    ['a file', get('/docs/swagger-ui-bundle.js')],
    ['metrics', get('/metrics')],
    ['the OpenAPI document', get('/openapi.json')],
    ['problem pages', get('/problems')],
    ['unknown routes', get('/nowhere')],
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
