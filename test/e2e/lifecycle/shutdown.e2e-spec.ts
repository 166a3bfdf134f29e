import http from 'node:http';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { send, stopTask } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { gatewayEnvironment } from '../../support/environment.js';
import { LONG_TIMEOUTS } from '../../support/gateway.js';
import { readMetric } from '../../support/metrics.js';
import { GatewayProcess } from '../../support/process.js';
import { sendRaw } from '../../support/raw-http.js';
import { holdSlots } from '../../support/hold-slots.js';
import { sandboxFixture } from '../../support/fixtures.js';

const sandbox = await sandboxFixture({ acceptUnknownTasks: true });
let gateway: GatewayProcess;

beforeEach(() => sandbox.clearReceivedRequests());

afterEach(() => gateway.kill('SIGKILL'));

function start(variables: Record<string, string> = {}): GatewayProcess {
  const environment = { ...gatewayEnvironment(sandbox), ...LONG_TIMEOUTS, TRTC_ENDPOINT: sandbox.httpUrl };
  gateway = new GatewayProcess({ ...environment, SHUTDOWN_GRACE_MS: '20000', ...variables });
  return gateway;
}

const entriesOf = (stdout: string, taskId: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((entry) => entry['taskId'] === taskId);

const get = (url: string, path: string) => send(url, path, { method: 'GET' });

describe('SIGTERM', () => {
  it('makes /readyz return 503, then rejects calls with shutting-down, then logs each stop and exits with 0', async () => {
    const url = await start().url();
    expect((await get(url, '/readyz')).status).toBe(200);
    expect((await stopTask(url, 'first')).status).toBe(200);
    // The listener stays open until this call has its response, even on a slow machine.
    const { responses, release } = await holdSlots(sandbox, url, ['in-flight']);
    gateway.kill('SIGTERM');
    while ((await get(url, '/readyz')).status === 200) await sleep(10);
    expect((await get(url, '/livez')).status).toBe(200);
    expect((await stopTask(url, 'still-served')).status).toBe(200);
    let response = await stopTask(url, 'a');
    while (response.status !== 503) {
      await sleep(100);
      response = await stopTask(url, 'a');
    }
    expect(response.body).toMatchObject({ code: 'shutting-down', outcome: 'not-sent' });
    expect(response.headers).toMatchObject({ connection: 'close', 'retry-after': '1' });
    release();
    expect(await responses).toMatchObject([{ status: 200 }]);
    const { code, stdout, stderr } = await gateway.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const taskId of ['first', 'in-flight', 'still-served'])
      expect(entriesOf(stdout, taskId)).toMatchObject([{ event: 'stop-completed', result: 'stopped' }]);
  });

  it('closes idle connections', async () => {
    const url = await start({ SHUTDOWN_GRACE_MS: '5000' }).url();
    const agent = new http.Agent({ keepAlive: true });
    await send(url, '/metrics', { method: 'GET', agent });
    const silent = net.connect(Number(new URL(url).port), '127.0.0.1');
    gateway.kill('SIGTERM');
    expect(await gateway.finished).toMatchObject({ code: 0 });
    agent.destroy();
    silent.destroy();
  });

  it('serves every request of a client that does not wait for responses', async () => {
    const url = await start({ SHUTDOWN_GRACE_MS: '10000' }).url();
    gateway.kill('SIGTERM');
    while ((await get(url, '/readyz')).status === 200) await sleep(10);
    const request = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';
    // It is rejected before the parser has read the next request.
    const invalid = request.replace('Host: x', 'Host: x\r\nHost: y');
    const responses = await sendRaw(url, invalid + request.repeat(3), { halfClose: true });
    const statuses = Array.from(responses.matchAll(/HTTP\/1\.1 (\d+)/g), ([, status]) => status);
    expect(statuses).toEqual(['400', '200', '200', '200']);
    expect(await gateway.finished).toMatchObject({ code: 0 });
  });

  it('closes a connection whose client sends half a request and does not close its side', async () => {
    const url = await start({ SHUTDOWN_GRACE_MS: '5000' }).url();
    const socket = net.connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    socket.write('DELETE /ingest-tasks/a HTTP/1.1\r\nHo');
    await get(url, '/livez');
    gateway.kill('SIGTERM');
    expect(await gateway.finished).toMatchObject({ code: 0 });
    socket.destroy();
  });

  it('aborts the calls in flight at the end of the grace, logs each with an unknown outcome, and exits with 1', async () => {
    const url = await start({ SHUTDOWN_GRACE_MS: '500' }).url();
    const tasks = ['aborted-1', 'aborted-2', 'aborted-3'];
    const { responses } = await holdSlots(sandbox, url, tasks, 20_000);
    gateway.kill('SIGTERM');
    expect(await responses).toMatchObject(
      tasks.map(() => ({ status: 502, body: { code: 'upstream-failed', outcome: 'unknown' } })),
    );
    const { code, stdout } = await gateway.finished;
    expect(code).toBe(1);
    expect(stdout).toContain('"inFlight":3,');
    for (const taskId of tasks)
      expect(entriesOf(stdout, taskId)).toMatchObject([
        { event: 'stop-completed', result: 'upstream-failed', outcome: 'unknown', attemptCount: 1 },
      ]);
  });

  it('ends the process when it is sent twice, and logs each stop that has its response', async () => {
    const url = await start({ SHUTDOWN_GRACE_MS: '600000' }).url();
    gateway.kill('SIGTERM');
    while (!gateway.stdout.includes('shutting down')) await sleep(10);
    expect((await stopTask(url, 'last')).status).toBe(200);
    gateway.kill('SIGTERM');
    const { code, stdout } = await gateway.finished;
    expect(code).toBe(143);
    expect(entriesOf(stdout, 'last')).toMatchObject([{ event: 'stop-completed', result: 'stopped' }]);
  });
});

describe('a call that waits for its slot during shutdown', () => {
  it('is rejected with shutting-down and not sent', async () => {
    const url = await start({ QUOTA_PER_SECOND: '1', SHUTDOWN_GRACE_MS: '10000' }).url();
    const { release } = await holdSlots(sandbox, url, ['holds-the-slot']);
    const waiting = stopTask(url, 'waits', '', { prefer: 'wait=30' });
    await eventually(async () => (await readMetric(url, 'ingest_gateway_quota_queue_length')) === 1);
    gateway.kill('SIGTERM');
    expect(await waiting).toMatchObject({
      status: 503,
      body: { code: 'shutting-down', outcome: 'not-sent' },
    });
    release();
    expect(await gateway.finished).toMatchObject({ code: 0 });
  });
});

describe('an unhandled error', () => {
  it.each([
    ['thrown', 'throw error'],
    ['rejected', 'Promise.reject(error)'],
  ])('that is %s is logged without its properties, and ends the process', async (_, statement) => {
    // An axios error contains the request.
    const properties = `{ config: { headers: { Authorization: key } }, cause: new Error(key), request: { key } }`;
    const error = `Object.assign(new Error('planted'), ${properties})`;
    const preload = `process.on('SIGUSR2', () => { const key = 'MAR' + 'KED'; const error = ${error}; ${statement}; });`;
    gateway = new GatewayProcess({ ...gatewayEnvironment(sandbox) }, [
      '--import',
      `data:text/javascript,${preload}`,
    ]);
    await gateway.url();
    gateway.kill('SIGUSR2');
    const { code, stdout, stderr } = await gateway.finished;
    expect(code).toBe(70);
    expect(stdout).toContain('"error":"planted"');
    expect(stdout + stderr).not.toContain('MARKED');
  });
});
