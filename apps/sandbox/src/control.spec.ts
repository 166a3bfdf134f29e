import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from './sandbox.js';
import { codeIn, stop } from './testing/raw-client.js';
import { SDK_APP_ID } from './testing/signed-stop.js';

describe('the control API', () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = await startSandbox();
  });

  afterEach(() => sandbox.close());

  async function call(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; json: unknown }> {
    const response = await fetch(sandbox.controlUrl + path, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    });
    const text = await response.text();
    return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
  }

  it('creates a task with any id and shows its status', async () => {
    const taskId = `-a+b/c=${'x'.repeat(249)}`;
    const path = `/tasks/${encodeURIComponent(taskId)}`;
    expect(await call('PUT', path, { sdkAppId: SDK_APP_ID, status: 'running' })).toMatchObject({
      status: 204,
    });
    expect(codeIn(await stop(sandbox, { taskId }))).toBe('OK');
    expect((await call('GET', '/tasks')).json).toEqual([
      { sdkAppId: SDK_APP_ID, taskId, status: 'finished' },
    ]);
    await call('PUT', path, { sdkAppId: SDK_APP_ID, status: 'running' });
    expect(codeIn(await stop(sandbox, { taskId }))).toBe('OK');
  });

  it('lists received requests without their signatures, and deletes them', async () => {
    await stop(sandbox, { taskId: 'task-9' });
    const { json } = await call('GET', '/received-requests');
    expect(json).toEqual([
      expect.objectContaining({
        method: 'POST',
        path: '/',
        rawBody: `{"SdkAppId":${SDK_APP_ID},"TaskId":"task-9"}`,
        action: 'StopStreamIngest',
        region: 'ap-singapore',
        sdkAppId: SDK_APP_ID,
        taskId: 'task-9',
        connection: 1,
        tls: false,
        responseCode: 'InvalidParameter.TaskId',
        headers: expect.objectContaining({
          authorization: expect.stringMatching(/, Signature=\[redacted\]$/),
        }),
      }),
    ]);
    expect(await call('DELETE', '/received-requests')).toMatchObject({ status: 204 });
    expect((await call('GET', '/received-requests')).json).toEqual([]);
  });

  it('replaces the fault rules', async () => {
    const rules = [
      { fault: { kind: 'error', code: 'InternalError' }, times: 2, probability: 1, effect: 'before' },
      { fault: { kind: 'trickle', part: 'body', everyMs: 1 }, times: 'always', taskId: 'a' },
    ];
    expect(await call('PUT', '/faults', rules)).toMatchObject({ status: 204 });
    expect(codeIn(await stop(sandbox))).toBe('InternalError');
    expect(sandbox.state().faults).toMatchObject([{ times: 1 }, { times: 'always' }]);
    expect(await call('PUT', '/faults', [])).toMatchObject({ status: 204 });
    expect(sandbox.state().faults).toEqual([]);
  });

  it('changes the given settings and delays and keeps the others', async () => {
    await call('PUT', '/settings', { acceptUnknownTasks: true });
    await call('PUT', '/delays', { response: { minMs: 1, maxMs: 2 } });
    expect((await call('GET', '/state')).json).toMatchObject({
      endpoints: { http: sandbox.httpUrl, https: sandbox.httpsUrl, control: sandbox.controlUrl },
      settings: { acceptUnknownTasks: true, quotaPerSecond: 20, clockOffsetSeconds: 0 },
      delays: { request: { minMs: 0, maxMs: 0 }, response: { minMs: 1, maxMs: 2 } },
    });
    expect(codeIn(await stop(sandbox))).toBe('OK');
  });

  it.each([
    ['/tasks/a', { sdkAppId: 1, status: 'gone' }, /status/],
    ['/tasks/a', { sdkAppId: '1', status: 'running' }, /sdkAppId must be integer/],
    ['/tasks/a', { status: 'running' }, /'sdkAppId'/],
    ['/delays', { request: { minMs: 2, maxMs: 1 } }, /request: 0 <= minMs <= maxMs/],
    ['/delays', { reqest: { minMs: 1, maxMs: 1 } }, /additional properties/],
    ['/settings', { quotaPerSecond: -1 }, /quotaPerSecond must be >= 0/],
    ['/settings', { quota: 1 }, /additional properties/],
    ['/faults', { kind: 'reset' }, /must be array/],
    ['/faults', [{ fault: { kind: 'explode' }, times: 1 }], /fault/],
    ['/faults', [{ fault: { kind: 'reset' }, times: 1 }], /fault must have required property 'at'/],
    ['/faults', [{ fault: { kind: 'no-response' }, times: 0 }], /times/],
    ['/faults', [{ fault: { kind: 'no-response' }, times: 1, probability: 2 }], /probability must be <= 1/],
  ])('returns 400 with the reason for PUT %s %j', async (path, body, reason) => {
    const before = sandbox.state();
    expect(await call('PUT', path, body)).toMatchObject({
      status: 400,
      json: { message: expect.stringMatching(reason) },
    });
    expect(sandbox.state()).toEqual(before);
  });
});
