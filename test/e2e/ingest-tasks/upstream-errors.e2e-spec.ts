import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { stopTask } from '../../support/client.js';
import { type Gateway, startGateway } from '../../support/gateway.js';

let sandbox: Sandbox;
let gateway: Gateway;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 1000 });
  gateway = await startGateway(sandbox, { QUOTA_PER_SECOND: '1000' });
});

afterAll(async () => {
  await gateway.close();
  await sandbox.close();
});

beforeEach(() => sandbox.clearReceivedRequests());

const DEFINITE_ERRORS = [
  ['InvalidParameter.TaskId', 404, 'task-not-found'],
  ['FailedOperation.TaskNotExist', 404, 'task-not-found'],
  ['InvalidParameter.SdkAppId', 502, 'upstream-refused-gateway'],
  ['AuthFailure.SignatureFailure', 502, 'upstream-refused-gateway'],
  ['AuthFailure.SecretIdNotFound', 502, 'upstream-refused-gateway'],
  ['AuthFailure.SomethingNew', 502, 'upstream-refused-gateway'],
  ['UnauthorizedOperation', 502, 'upstream-refused-gateway'],
  ['UnauthorizedOperation.CamNoAuth', 502, 'upstream-refused-gateway'],
  ['InvalidParameter.BodyParamsError', 502, 'upstream-rejected'],
  ['InvalidParameter', 502, 'upstream-rejected'],
  ['InvalidParameter.TaskIdentity', 502, 'upstream-rejected'],
  ['MissingParameter', 502, 'upstream-rejected'],
  ['UnsupportedRegion', 502, 'upstream-rejected'],
  ['InvalidAction', 502, 'upstream-rejected'],
  ['FailedOperation', 502, 'upstream-rejected'],
  ['FailedOperation.SdkAppIdNotExist', 502, 'upstream-rejected'],
  ['ActionOffline', 502, 'upstream-rejected'],
  ['UnknownCode.Undocumented', 502, 'upstream-rejected'],
] as const;

describe('a definite error of the upstream', () => {
  it.each(DEFINITE_ERRORS)(
    '%s is returned as %i %s with outcome not-stopped',
    async (upstreamCode, status, code) => {
      sandbox.setFaults([
        { fault: { kind: 'error', code: upstreamCode, message: 'free <b>text</b>' }, times: 1 },
      ]);
      const { status: actualStatus, headers, text, body } = await stopTask(gateway.url, 'a-task');
      expect(actualStatus).toBe(status);
      expect(headers['content-type']).toBe('application/problem+json');
      expect(body).toMatchObject({
        type: `/problems/${code}`,
        code,
        outcome: 'not-stopped',
        upstream: { code: upstreamCode, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      });
      expect(text).not.toContain('free');
      expect(sandbox.receivedRequests()).toHaveLength(1);
    },
  );

  it('InvalidParameter.SdkAppId is returned as 400 when the SdkAppId is from the request', async () => {
    sandbox.setFaults([{ fault: { kind: 'error', code: 'InvalidParameter.SdkAppId' }, times: 1 }]);
    const { status, body } = await stopTask(gateway.url, 'a-task', '?sdkAppId=1400000001');
    expect({ status, ...body }).toMatchObject({
      status: 400,
      code: 'sdk-app-id-rejected',
      outcome: 'not-stopped',
    });
  });
});

describe('FailedOperation.TaskFinished', () => {
  it('is returned as a success, because the task has ended', async () => {
    sandbox.setFaults([{ fault: { kind: 'error', code: 'FailedOperation.TaskFinished' }, times: 1 }]);
    const { status, body } = await stopTask(gateway.url, 'a-task');
    expect({ status, ...body }).toMatchObject({ status: 'already-finished' });
  });
});
