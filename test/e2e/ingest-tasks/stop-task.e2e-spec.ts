import { beforeEach, describe, expect, it } from '@jest/globals';
import { send, stopTask } from '../../support/client.js';
import { gatewayFixture } from '../../support/fixtures.js';

const SDK_APP_ID = 1400000001;
const { sandbox, gateway } = await gatewayFixture({ sdkAppIds: [SDK_APP_ID, 1400000002] });

// A new task id each time, because the gateway caches ended tasks.
let room = 0;
let taskId: string;

beforeEach(() => {
  room += 1;
  taskId = `room-${room}`;
  sandbox.clearReceivedRequests();
  sandbox.putTask({ sdkAppId: SDK_APP_ID, taskId, status: 'running' });
});

describe('DELETE /ingest-tasks/{id}', () => {
  it('stops the task with exactly one signed POST over TLS, and returns the RequestId', async () => {
    const { status, headers, body } = await stopTask(gateway.url, taskId);
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(body).toEqual({
      taskId,
      sdkAppId: SDK_APP_ID,
      region: 'ap-singapore',
      status: 'stopped',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(sandbox.tasks()).toContainEqual({ sdkAppId: SDK_APP_ID, taskId, status: 'finished' });
    const requests = sandbox.receivedRequests();
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      method: 'POST',
      path: '/',
      tls: true,
      action: 'StopStreamIngest',
      region: 'ap-singapore',
      rawBody: `{"SdkAppId":${SDK_APP_ID},"TaskId":"${taskId}"}`,
      responseCode: 'OK',
    });
  });

  it.each([
    ['with a content type', { 'content-type': 'application/json', 'content-length': 0 }],
    ['in chunked encoding', { 'transfer-encoding': 'chunked' }],
  ])('accepts an empty body %s, which many clients send', async (_, headers) => {
    const { status, body } = await stopTask(gateway.url, taskId, '', headers);
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'stopped', taskId });
  });

  it('returns 404 task-not-found for a task that the upstream does not know', async () => {
    const { status, headers, body } = await stopTask(gateway.url, 'unknown-task');
    expect(status).toBe(404);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(body).toEqual({
      type: '/problems/task-not-found',
      title: 'Task not found',
      status: 404,
      detail: 'The cloud knows no such task for this SdkAppId.',
      instance: headers['x-request-id'],
      code: 'task-not-found',
      outcome: 'not-stopped',
      upstream: { code: 'InvalidParameter.TaskId', requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
  });

  it('uses the SdkAppId and the region of the request', async () => {
    sandbox.putTask({ sdkAppId: 1400000002, taskId: 'another-app-task', status: 'running' });
    const { status, body } = await stopTask(
      gateway.url,
      'another-app-task',
      '?sdkAppId=1400000002&region=ap-mumbai',
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ sdkAppId: 1400000002, region: 'ap-mumbai', status: 'stopped' });
    expect(sandbox.receivedRequests()).toMatchObject([{ region: 'ap-mumbai', sdkAppId: 1400000002 }]);
  });

  it('returns 400 for an SdkAppId of the request that the upstream rejects', async () => {
    const { status, body } = await stopTask(gateway.url, taskId, '?sdkAppId=999');
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'sdk-app-id-rejected', outcome: 'not-stopped' });
  });

  it('reuses its connection to the upstream', async () => {
    await stopTask(gateway.url, taskId);
    await stopTask(gateway.url, 'unknown-task');
    const [first, second] = sandbox.receivedRequests();
    expect(second!.connection).toBe(first!.connection);
  });
});

describe('X-Request-Id', () => {
  it('is taken from the request when it is visible ASCII', async () => {
    const { headers } = await stopTask(gateway.url, taskId, '', { 'x-request-id': 'caller/42~' });
    expect(headers['x-request-id']).toBe('caller/42~');
  });

  it.each([['with blanks'], ['x'.repeat(129)], ['ä'], ['']])('is generated in place of %j', async (given) => {
    const { headers } = await send(gateway.url, '/livez', {
      method: 'GET',
      headers: { 'x-request-id': given },
    });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is in every response, and in each problem as its instance', async () => {
    for (const [method, path] of [
      ['GET', '/nowhere'],
      ['DELETE', '/ingest-tasks/%ZZ'],
      ['POST', '/ingest-tasks/x'],
    ] as const) {
      const { headers, body } = await send(gateway.url, path, {
        method,
        headers: { 'x-request-id': 'request-1' },
      });
      expect(headers['x-request-id']).toBe('request-1');
      expect(body).toMatchObject({ instance: 'request-1' });
    }
  });

  it('is never sent to the upstream', async () => {
    await stopTask(gateway.url, taskId, '', { 'x-request-id': 'caller-42', traceparent: '00-1-2-3' });
    expect(JSON.stringify(sandbox.receivedRequests())).not.toContain('caller-42');
    expect(Object.keys(sandbox.receivedRequests()[0]!.headers)).not.toContain('traceparent');
  });
});

describe('the RateLimit headers', () => {
  it('contain the number of free slots and the seconds until the next slot frees', async () => {
    const { headers } = await stopTask(gateway.url, taskId);
    expect(headers['ratelimit-policy']).toBe('"stop";q=20;w=1');
    expect(headers['ratelimit']).toMatch(/^"stop";r=\d+;t=[01]$/);
  });
});
