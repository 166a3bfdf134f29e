import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { bearerHeader, callerEntry } from '../../support/callers-file.js';
import { type HttpResponse, send, stopTask } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { sandboxFixture } from '../../support/fixtures.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { readMetric } from '../../support/metrics.js';
import { RedisProcess } from '../../support/redis.js';
import { createTempFolder, replaceFileAtomically } from '../../support/temp-folder.js';

const ASYNC = { prefer: 'respond-async' };

const sandbox = await sandboxFixture({ quotaPerSecond: 1000, acceptUnknownTasks: true });
const redis = await RedisProcess.start();
let gateway: Gateway;
let number = 0;

afterEach(async () => {
  sandbox.setFaults([]);
  sandbox.setDelays({});
  await gateway.close();
  await redis.command('FLUSHALL');
});

afterAll(() => redis.close());

/** Starts a gateway and waits until it accepts stops. */
async function start(variables: Record<string, string> = {}): Promise<void> {
  gateway = await startGateway(sandbox, { REDIS_URL: redis.url, ...variables });
  let location: string | undefined;
  await eventually(async () => {
    ({ location } = (await submit(newTask())).headers);
    return location !== undefined;
  });
  await finished(location!);
  sandbox.clearReceivedRequests();
}

function newTask(): string {
  number += 1;
  return `relay-${number}`;
}

const submit = (taskId: string, headers = {}): Promise<HttpResponse> =>
  stopTask(gateway.url, taskId, '', { ...ASYNC, ...headers });
const read = async (location: string): Promise<Record<string, unknown>> =>
  (await send(gateway.url, location, { method: 'GET' })).body!;
const eventsNamed = (name: string): Record<string, unknown>[] =>
  gateway.logs.filter(({ event }) => event === name);

async function finished(location: string): Promise<Record<string, unknown>> {
  let body: Record<string, unknown> = {};
  await eventually(async () => {
    body = await read(location);
    return body['status'] !== 'pending';
  });
  return body;
}

describe('a synchronous call that shares an attempt of the backlog', () => {
  it('has retries, as any other', async () => {
    await start();
    const taskId = newTask();
    sandbox.setDelays({ response: { minMs: 1000, maxMs: 1000 } });
    sandbox.setFaults([{ fault: { kind: 'error', code: 'InternalError' }, times: 1, taskId }]);
    const { headers } = await submit(taskId);
    await eventually(() => sandbox.receivedRequests().length > 0);
    const { status, body } = await stopTask(gateway.url, taskId);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'stopped' });
    expect(sandbox.receivedRequests()).toHaveLength(2);
    expect(await finished(headers.location!)).toMatchObject({ status: 'stopped', attempts: 2 });
  });
});

describe('ASYNC_STOP_TTL_MS', () => {
  it('ends the attempts for a stop: it is expired', async () => {
    await start({ ASYNC_STOP_TTL_MS: '1000', UPSTREAM_MAX_ATTEMPTS: '1' });
    const taskId = newTask();
    sandbox.setFaults([{ fault: { kind: 'error', code: 'InternalError' }, times: 'always' }]);
    const { headers, body } = await submit(taskId);
    const stop = await finished(headers.location!);
    expect(stop).toMatchObject({ ...body, status: 'expired', finishedAt: expect.any(String) });
    expect(Object.keys(stop)).not.toContain('problem');
    expect(stop['attempts']).toBe(sandbox.receivedRequests().length);
    const series = 'ingest_gateway_async_stops_total{caller="anonymous",result="expired"}';
    expect(await readMetric(gateway.url, series)).toBe(1);
    // A response that waits for the result says that the stop was accepted.
    expect((await submit(newTask(), { prefer: 'respond-async, wait=30' })).status).toBe(202);
  });
});

describe('while the circuit is open', () => {
  it('the backlog pauses, and then finishes', async () => {
    await start({ UPSTREAM_MAX_ATTEMPTS: '1' });
    sandbox.setFaults([{ fault: { kind: 'error', code: 'InternalError' }, times: 'always' }]);
    const tasks = Array.from({ length: 40 }, newTask);
    const before = eventsNamed('async-stop-postponed').length;
    const responses = await Promise.all(tasks.map((taskId) => submit(taskId)));
    const open = 'tencentcloud_circuit_state{state="open"}';
    await eventually(async () => (await readMetric(gateway.url, open)) === 1);
    const probes = sandbox.receivedRequests().length;
    await eventually(() => sandbox.receivedRequests().length >= probes + 1);
    // The slots limit how many start before the circuit opens. After that, one at a time shows that it is still open.
    expect(sandbox.receivedRequests().length).toBeLessThanOrEqual(30);
    expect(eventsNamed('async-stop-postponed').length - before).toBeLessThanOrEqual(50);
    sandbox.setFaults([]);
    for (const { headers } of responses)
      expect(await finished(headers.location!)).toMatchObject({ status: 'stopped' });
  }, 120_000);
});

describe('a caller that is removed', () => {
  it('can no longer read its pending stops, which are executed', async () => {
    const folder = await createTempFolder();
    const callersFile = join(folder.path, 'callers.json');
    const [removed, kept] = [callerEntry('removed', 'removed-key'), callerEntry('kept', 'kept-key')];
    await replaceFileAtomically(callersFile, JSON.stringify([removed, kept]));
    gateway = await startGateway(sandbox, {
      ALLOW_ANONYMOUS: '',
      CALLERS_FILE: callersFile,
      REDIS_URL: redis.url,
      UPSTREAM_MAX_ATTEMPTS: '1',
    });
    const headers = bearerHeader('removed-key');
    await eventually(async () => (await submit(newTask(), headers)).status === 202);
    const taskId = newTask();
    sandbox.setFaults([{ fault: { kind: 'error', code: 'InternalError' }, times: 'always' }]);
    const { status, headers: accepted } = await submit(taskId, headers);
    expect(status).toBe(202);
    await replaceFileAtomically(callersFile, JSON.stringify([kept]));
    const readAsRemoved = () => send(gateway.url, accepted.location!, { method: 'GET', headers });
    await eventually(async () => (await readAsRemoved()).status === 401);
    sandbox.setFaults([]);
    const finishedStop = () =>
      eventsNamed('async-stop-finished').find(
        ({ caller, taskId: task }) => caller === 'removed' && task === taskId,
      );
    await eventually(() => finishedStop() !== undefined);
    expect(finishedStop()).toMatchObject({ result: 'stopped' });
    await folder.remove();
  });
});

describe('with an ACL user of Redis that may not run INFO or CONFIG', () => {
  it('stops are executed, and nothing is reported about what Redis keeps', async () => {
    const rules = ['on', '>secret', '~ingest-gateway:*', '+@all', '-@admin', '-@dangerous'];
    expect(await redis.command('ACL', 'SETUSER', 'no-info', ...rules)).toBe('+OK\r\n');
    const before = eventsNamed('async-stops-redis-not-durable').length;
    await start({ REDIS_URL: redis.url.replace('//', '//no-info:secret@') });
    const { headers } = await submit(newTask());
    expect(await finished(headers.location!)).toMatchObject({ status: 'stopped' });
    expect(eventsNamed('async-stops-redis-not-durable')).toHaveLength(before);
  });
});

describe('a stop that the cloud rejects after an attempt without a response', () => {
  it('has an unknown outcome, also in the response that waits for it', async () => {
    await start({ UPSTREAM_MAX_ATTEMPTS: '1' });
    const taskId = newTask();
    sandbox.setFaults([
      { fault: { kind: 'reset', at: 'before-headers' }, times: 1, taskId, effect: 'after' },
      { fault: { kind: 'error', code: 'UnsupportedRegion' }, times: 1, taskId },
    ]);
    const { status, body } = await submit(taskId, { prefer: 'respond-async, wait=30' });
    expect(status).toBe(502);
    expect(body).toMatchObject({ code: 'upstream-rejected', outcome: 'unknown' });
    const { body: list } = await send(gateway.url, '/stops?status=failed', { method: 'GET' });
    expect(list).toMatchObject({ stops: [{ taskId, problem: { outcome: 'unknown' } }] });
  });
});

const connections = async (): Promise<number> =>
  (await redis.command('CLIENT', 'LIST')).split('ingest-gateway-async-stops').length - 1;
const reconnect = async (): Promise<void> => {
  await redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
  await eventually(async () => (await connections()) === 1);
};
const reports = (): unknown[] =>
  gateway.logs.flatMap(({ event }) => (String(event).startsWith('async-stops-redis-') ? [event] : []));

describe('what Redis keeps', () => {
  it('is reported again only when it has changed', async () => {
    await start();
    const before = reports().length;
    await reconnect();
    await redis.command('CONFIG', 'SET', 'appendonly', 'yes');
    await reconnect();
    await eventually(() => reports().length > before);
    expect(reports().slice(before)).toEqual(['async-stops-redis-durable']);
    await redis.command('CONFIG', 'SET', 'appendonly', 'no');
  });
});
