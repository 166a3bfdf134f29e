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
const then = (code: string): FaultRule => ({ fault: { kind: 'error', code }, times: 'always' });
const taskState = (): string | undefined => sandbox.tasks().find(({ taskId }) => taskId === 'x')?.status;

describe('when an earlier attempt of the same call may have taken effect', () => {
  it('TaskFinished is stopped: this call did it, as far as anyone can know', async () => {
    sandbox.setFaults([lostResponse]);
    expect(await runOnce(sandbox, 'x')).toMatchObject({ status: 200, code: 'stopped', attempts: 2 });
    expect(taskState()).toBe('finished');
  });

  it('TaskFinished after attempts that certainly had no effect is already-finished', async () => {
    sandbox.putTask({ sdkAppId: 1400000001, taskId: 'x', status: 'finished' });
    sandbox.setFaults([{ fault: { kind: 'error', code: 'RequestLimitExceeded' }, times: 1 }]);
    expect(await runOnce(sandbox, 'x')).toMatchObject({
      status: 200,
      code: 'already-finished',
      attempts: 2,
    });
  });

  it.each(['RequestLimitExceeded', 'AuthFailure.SignatureFailure', 'UnauthorizedOperation', 'ActionOffline'])(
    '%s as the last word does not make it not-stopped: the outcome stays unknown',
    async (code) => {
      sandbox.setFaults([lostResponse, then(code)]);
      const result = await runOnce(sandbox, 'x');
      expect(result).toMatchObject({ status: 502, code: 'upstream-failed', outcome: 'unknown' });
      expect(taskState()).toBe('finished');
    },
  );

  it('a refusal of the parameters themselves is the truth about every attempt', async () => {
    sandbox.setFaults([{ ...lostResponse, effect: 'before' }, then('InvalidParameter.TaskId')]);
    const result = await runOnce(sandbox, 'x');
    expect(result).toMatchObject({
      status: 404,
      code: 'task-not-found',
      outcome: 'not-stopped',
      attempts: 2,
    });
  });

  it('one attempt is all when one is allowed, and its outcome is unknown', async () => {
    sandbox.setFaults([lostResponse]);
    const result = await runOnce(sandbox, 'x', { UPSTREAM_MAX_ATTEMPTS: '1' });
    expect(result).toMatchObject({ status: 502, code: 'upstream-failed', outcome: 'unknown', attempts: 1 });
  });
});
