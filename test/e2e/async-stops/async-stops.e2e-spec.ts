import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { bearerHeader, callerEntry } from '../../support/callers-file.js';
import { type HttpResponse, send, stopTask } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { sandboxFixture, tempFolderFixture } from '../../support/fixtures.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { readMetric } from '../../support/metrics.js';
import { RedisProcess } from '../../support/redis.js';
import { replaceFileAtomically } from '../../support/temp-folder.js';

const SDK_APP_ID = 1400000001;
const ASYNC = { prefer: 'respond-async' };
const UUID = /^[0-9a-f-]{36}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const sandbox = await sandboxFixture({ quotaPerSecond: 1000 });
const folder = await tempFolderFixture();
const callersFile = `${folder}/callers.json`;
await replaceFileAtomically(
  callersFile,
  JSON.stringify([callerEntry('events', 'events-key'), callerEntry('studio', 'studio-key')]),
);
const EVENTS = bearerHeader('events-key');
const STUDIO = bearerHeader('studio-key');

let redis = await RedisProcess.start();
const start = (variables: Record<string, string> = {}): Promise<Gateway> =>
  startGateway(sandbox, {
    ALLOW_ANONYMOUS: '',
    CALLERS_FILE: callersFile,
    REDIS_URL: redis.url,
    UPSTREAM_MAX_ATTEMPTS: '1',
    ...variables,
  });
let gateway = await start();
await untilAccepting();

afterAll(async () => {
  await gateway.close();
  await redis.close();
});

let number = 0;
let taskId: string;

beforeEach(() => {
  number += 1;
  taskId = `relay-${number}`;
  sandbox.putTask({ sdkAppId: SDK_APP_ID, taskId, status: 'running' });
  sandbox.setFaults([]);
  sandbox.clearReceivedRequests();
});

/** Waits until the gateway has reached Redis. */
async function untilAccepting(): Promise<void> {
  let tries = 0;
  await eventually(async () => {
    tries += 1;
    return (await submit(`no-task-${tries}`)).status === 202;
  });
}

function submit(task = taskId, headers = {}): Promise<HttpResponse> {
  return stopTask(gateway.url, task, '', { ...EVENTS, ...ASYNC, ...headers });
}

const get = (path: string, key = EVENTS): Promise<HttpResponse> =>
  send(gateway.url, path, { method: 'GET', headers: key });

interface Page {
  readonly stops: readonly { readonly taskId: string }[];
  readonly nextCursor?: string;
}

/** Reads a list to its end. @returns the tasks in their order */
async function listTasks(query: string): Promise<string[]> {
  const listed: string[] = [];
  let cursor = '';
  do {
    const { status, text } = await get(`/stops?${query}${cursor}`, STUDIO);
    expect(status).toBe(200);
    const { stops, nextCursor } = JSON.parse(text) as Page;
    listed.push(...stops.map((stop) => stop.taskId));
    cursor = nextCursor === undefined ? '' : `&cursor=${nextCursor}`;
  } while (cursor !== '');
  return listed;
}

async function finished(location: string): Promise<Record<string, unknown>> {
  let body: Record<string, unknown> = {};
  await eventually(async () => {
    body = (await get(location)).body ?? {};
    return body['status'] !== 'pending';
  });
  return body;
}

const requestsFor = (id: string) => sandbox.receivedRequests().filter((request) => request.taskId === id);
const fail = (times: number, code = 'InternalError') =>
  sandbox.setFaults([{ fault: { kind: 'error', code }, times, taskId }]);

describe('Prefer: respond-async', () => {
  it('is answered with 202 and the location of the stop, which is executed and can be read', async () => {
    const { status, headers, body } = await submit();
    expect(status).toBe(202);
    expect(headers['preference-applied']).toBe('respond-async');
    expect(body).toEqual({
      id: expect.stringMatching(UUID),
      taskId,
      sdkAppId: SDK_APP_ID,
      region: 'ap-singapore',
      status: 'pending',
      createdAt: expect.stringMatching(TIME),
    });
    expect(headers.location).toBe(`/stops/${String(body?.['id'])}`);
    expect(await finished(headers.location!)).toEqual({
      ...body,
      status: 'stopped',
      requestId: expect.stringMatching(UUID),
      attempts: 1,
      finishedAt: expect.stringMatching(TIME),
    });
    expect(sandbox.tasks()).toContainEqual({ sdkAppId: SDK_APP_ID, taskId, status: 'finished' });
    expect(requestsFor(taskId)).toHaveLength(1);
    const entry = gateway.logs.find(
      ({ stopId, event }) => stopId === body?.['id'] && event === 'async-stop-finished',
    );
    expect(gateway.logs.find(({ stopId }) => stopId === body?.['id'])).toMatchObject({
      event: 'stop-completed',
      result: 'accepted',
      outcome: 'pending',
      status: 202,
    });
    expect(entry).toMatchObject({ caller: 'events', taskId, result: 'stopped', attempts: 1 });
  });

  it('with wait is answered with the result if the stop finishes within the wait', async () => {
    const { status, headers, body } = await submit(taskId, { prefer: 'respond-async, wait=30' });
    expect(status).toBe(200);
    expect(body).toEqual({
      taskId,
      sdkAppId: SDK_APP_ID,
      region: 'ap-singapore',
      status: 'stopped',
      requestId: expect.stringMatching(UUID),
    });
    expect(headers['preference-applied']).toBe('wait=30');
  });

  it('with wait is answered with 202 if the stop does not finish within the wait', async () => {
    fail(1000);
    const { status, headers } = await submit(taskId, { prefer: 'respond-async, wait=1' });
    expect(status).toBe(202);
    expect(headers['preference-applied']).toBe('respond-async, wait=1');
    sandbox.setFaults([]);
    expect(await finished(headers.location!)).toMatchObject({ status: 'stopped' });
  });

  it('with wait is answered with the problem of a stop that fails', async () => {
    const { status, body } = await submit('unknown-task', { prefer: 'respond-async, wait=30' });
    expect(status).toBe(404);
    expect(body).toMatchObject({
      code: 'task-not-found',
      upstream: { code: 'InvalidParameter.TaskId' },
    });
  });

  it('is answered with 200 at once for a task that is known to have ended', async () => {
    await submit(taskId, { prefer: 'respond-async, wait=30' });
    const { status, body } = await submit();
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'already-finished' });
  });

  it('is answered with 400, 401 and 403 at once', async () => {
    const responses = await Promise.all([
      stopTask(gateway.url, taskId, '?region=nowhere', { ...EVENTS, ...ASYNC }),
      stopTask(gateway.url, taskId, '', ASYNC),
    ]);
    expect(responses.map(({ status }) => status)).toEqual([400, 401]);
  });

  it('is answered with the location of the pending stop if the task is requested again', async () => {
    fail(1000);
    const first = await submit();
    const second = await submit();
    expect(second.status).toBe(202);
    expect(second.headers.location).toBe(first.headers.location);
    expect(second.body).toEqual(first.body);
    const other = await submit(taskId, STUDIO);
    expect(other.headers.location).not.toBe(first.headers.location);
    sandbox.setFaults([]);
    expect(await finished(first.headers.location!)).toMatchObject({ status: 'stopped' });
  });
});

describe('an asynchronous stop', () => {
  it('is retried after failures, and counts its attempts', async () => {
    fail(2, 'InternalError');
    const { headers } = await submit();
    expect(await finished(headers.location!)).toMatchObject({ status: 'stopped', attempts: 3 });
    expect(requestsFor(taskId).map(({ responseCode }) => responseCode)).toEqual([
      'InternalError',
      'InternalError',
      'OK',
    ]);
  });

  it('fails with the problem when the cloud rejects it', async () => {
    const { headers, body } = await submit('no-such-task');
    expect(await finished(headers.location!)).toEqual({
      ...body,
      status: 'failed',
      problem: {
        type: '/problems/task-not-found',
        title: 'Task not found',
        status: 404,
        detail: 'The cloud knows no such task for this SdkAppId.',
        instance: headers.location,
        code: 'task-not-found',
        outcome: 'not-stopped',
        upstream: { code: 'InvalidParameter.TaskId', requestId: expect.stringMatching(UUID) },
      },
      attempts: 1,
      finishedAt: expect.stringMatching(TIME),
    });
  });

  it('is already-finished if its task had ended before', async () => {
    sandbox.putTask({ sdkAppId: SDK_APP_ID, taskId, status: 'finished' });
    const { headers } = await submit();
    expect(await finished(headers.location!)).toMatchObject({ status: 'already-finished', attempts: 1 });
  });

  it('is stopped if an attempt without a response ended its task', async () => {
    sandbox.setFaults([
      { fault: { kind: 'reset', at: 'before-headers' }, times: 1, taskId, effect: 'after' },
    ]);
    const { headers } = await submit();
    expect(await finished(headers.location!)).toMatchObject({ status: 'stopped', attempts: 2 });
  });

  it('is already-finished if the attempts before were rejected', async () => {
    sandbox.setFaults([{ fault: { kind: 'error', code: 'RequestLimitExceeded' }, times: 1, taskId }]);
    sandbox.putTask({ sdkAppId: SDK_APP_ID, taskId, status: 'finished' });
    const { headers } = await submit();
    expect(await finished(headers.location!)).toMatchObject({ status: 'already-finished', attempts: 2 });
  });

  it('has Retry-After while it is pending', async () => {
    fail(1000);
    const { headers } = await submit();
    const pending = await get(headers.location!);
    expect(pending.status).toBe(200);
    expect(pending.headers['retry-after']).toBe('1');
    expect(pending.headers['cache-control']).toBe('no-store');
    sandbox.setFaults([]);
    await finished(headers.location!);
    expect((await get(headers.location!)).headers['retry-after']).toBeUndefined();
  });

  it('does not exist for other callers', async () => {
    const { headers } = await submit();
    const { status, body } = await get(headers.location!, STUDIO);
    expect(status).toBe(404);
    expect(body).toMatchObject({ code: 'stop-not-found' });
    expect((await get('/stops/meta')).status).toBe(404);
    expect((await get(headers.location!, {} as typeof EVENTS)).status).toBe(401);
  });

  it('is counted in the metrics of the backlog', async () => {
    await submit(taskId, { prefer: 'respond-async, wait=30' });
    const series = 'ingest_gateway_async_stops_total{caller="events",result="stopped"}';
    expect(await readMetric(gateway.url, series)).toBeGreaterThan(0);
    await eventually(
      async () =>
        (await readMetric(gateway.url, 'ingest_gateway_async_stops_pending{caller="events"}')) === 0,
    );
  });
});

describe('GET /stops', () => {
  it('lists the stops of the caller page by page, each once', async () => {
    const tasks = ['page-1', 'page-2', 'page-3', 'page-4', 'page-5'];
    for (const task of tasks) sandbox.putTask({ sdkAppId: SDK_APP_ID, taskId: task, status: 'running' });
    const faults = tasks.map((task) => ({
      fault: { kind: 'error', code: 'InternalError' } as const,
      times: 'always' as const,
      taskId: task,
    }));
    sandbox.setFaults(faults);
    for (const task of tasks) await submit(task, STUDIO);
    expect(await listTasks('status=pending&limit=2')).toEqual(tasks);
    sandbox.setFaults([]);
    await eventually(async () => (await listTasks('status=pending')).length === 0);
    const all = await listTasks('limit=2');
    expect(all.filter((task) => tasks.includes(task)).toSorted((a, b) => a.localeCompare(b))).toEqual(tasks);
  });

  it('rejects an invalid query with every error', async () => {
    const { status, body } = await get('/stops?status=done&limit=0&cursor=x&force=1');
    expect(status).toBe(400);
    expect(body).toMatchObject({
      errors: [{ name: 'status' }, { name: 'limit' }, { name: 'cursor' }, { name: 'force' }],
    });
  });
});

describe('ASYNC_STOPS_LIMIT', () => {
  it('limits the pending stops of a caller, not those of another, and repeated stops are no new ones', async () => {
    const limited = await start({ ASYNC_STOPS_LIMIT: '2' });
    await gateway.close();
    gateway = limited;
    await untilAccepting();
    // The caller has no pending stop here: the stops of `untilAccepting` are those of the other caller.
    sandbox.setFaults([{ fault: { kind: 'error', code: 'InternalError' }, times: 'always' }]);
    const accepted = [await submit('limit-1', STUDIO), await submit('limit-2', STUDIO)];
    expect(accepted.map(({ status }) => status)).toEqual([202, 202]);
    const { status, headers, body } = await submit('limit-3', STUDIO);
    expect(status).toBe(429);
    expect(headers['retry-after']).toBe('1');
    expect(body).toMatchObject({ code: 'backlog-full', outcome: 'not-sent' });
    expect((await submit('limit-1', STUDIO)).headers.location).toBe(accepted[0]!.headers.location);
    expect((await submit('limit-3')).status).toBe(202);
  });
});

describe('with an ACL user of Redis that may only use the keys of the gateway', () => {
  it('stops are accepted and executed', async () => {
    const rules = ['on', '>secret', '~ingest-gateway:*', '+@all', '-@admin', '-@dangerous', '+info'];
    expect(await redis.command('ACL', 'SETUSER', 'gateway', ...rules)).toBe('+OK\r\n');
    await gateway.close();
    gateway = await start({ REDIS_URL: redis.url.replace('//', '//gateway:secret@') });
    await untilAccepting();
    const { headers } = await submit();
    expect(await finished(headers.location!)).toMatchObject({ status: 'stopped' });
  });
});

describe('while Redis cannot store a stop', () => {
  it('the call is synchronous', async () => {
    await redis.signal('SIGKILL');
    await eventually(async () => {
      const { status, headers } = await stopTask(gateway.url, taskId, '', { ...EVENTS, ...ASYNC });
      expect(headers['preference-applied']).toBeUndefined();
      return status === 200;
    });
    const { status, body } = await get('/stops');
    expect(status).toBe(503);
    expect(body).toMatchObject({ code: 'stops-unavailable' });
    await gateway.close();
    await redis.close();
    redis = await RedisProcess.start();
    gateway = await start();
  });
});
