import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { FaultRule } from '../../../apps/sandbox/src/faults.js';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { runOnce } from '../../support/run-once.js';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ quotaPerSecond: 100_000 });
});

afterAll(() => sandbox.close());

beforeEach(() => sandbox.putTask({ sdkAppId: 1400000001, taskId: 'x', status: 'running' }));

const lostResponse: FaultRule = { fault: { kind: 'reset', at: 'before-headers' }, times: 1, effect: 'after' };
const alwaysError = (code: string): FaultRule => ({ fault: { kind: 'error', code }, times: 'always' });
const taskState = (): string | undefined => sandbox.tasks().find(({ taskId }) => taskId === 'x')?.status;

describe('a call with an earlier attempt that may have taken effect', () => {
  it('returns stopped when a retry gets TaskFinished', async () => {
    sandbox.setFaults([lostResponse]);
    expect(await runOnce(sandbox, 'x')).toMatchObject({ status: 200, code: 'stopped', attempts: 2 });
    expect(taskState()).toBe('finished');
  });

  it('returns already-finished when a retry gets TaskFinished and no earlier attempt had an effect', async () => {
    sandbox.putTask({ sdkAppId: 1400000001, taskId: 'x', status: 'finished' });
    sandbox.setFaults([{ fault: { kind: 'error', code: 'RequestLimitExceeded' }, times: 1 }]);
    expect(await runOnce(sandbox, 'x')).toMatchObject({
      status: 200,
      code: 'already-finished',
      attempts: 2,
    });
  });

  it.each(['RequestLimitExceeded', 'AuthFailure.SignatureFailure', 'UnauthorizedOperation', 'ActionOffline'])(
    'returns outcome unknown when the last attempt gets %s',
    async (code) => {
      sandbox.setFaults([lostResponse, alwaysError(code)]);
      const result = await runOnce(sandbox, 'x');
      expect(result).toMatchObject({ status: 502, code: 'upstream-failed', outcome: 'unknown' });
      expect(taskState()).toBe('finished');
    },
  );

  it('returns not-stopped when a retry gets an error of the parameters, because every attempt had the same', async () => {
    sandbox.setFaults([{ ...lostResponse, effect: 'before' }, alwaysError('InvalidParameter.TaskId')]);
    const result = await runOnce(sandbox, 'x');
    expect(result).toMatchObject({
      status: 404,
      code: 'task-not-found',
      outcome: 'not-stopped',
      attempts: 2,
    });
  });

  it('makes one attempt when UPSTREAM_MAX_ATTEMPTS is 1, and returns outcome unknown', async () => {
    sandbox.setFaults([lostResponse]);
    const result = await runOnce(sandbox, 'x', { UPSTREAM_MAX_ATTEMPTS: '1' });
    expect(result).toMatchObject({ status: 502, code: 'upstream-failed', outcome: 'unknown', attempts: 1 });
  });
});
