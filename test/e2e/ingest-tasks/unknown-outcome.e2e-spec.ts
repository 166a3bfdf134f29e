import { beforeEach, describe, expect, it } from '@jest/globals';
import type { FaultRule } from '../../../apps/sandbox/src/faults.js';
import { runOnce } from '../../support/run-once.js';
import { sandboxFixture } from '../../support/fixtures.js';

const sandbox = await sandboxFixture({ quotaPerSecond: 100_000 });

beforeEach(() => sandbox.putTask({ sdkAppId: 1400000001, taskId: 'x', status: 'running' }));

const lostResponse: FaultRule = { fault: { kind: 'reset', at: 'before-headers' }, times: 1, effect: 'after' };
const alwaysError = (code: string): FaultRule => ({ fault: { kind: 'error', code }, times: 'always' });

describe('a call with an earlier attempt that may have taken effect', () => {
  it('returns already-finished when a retry gets TaskFinished and no earlier attempt had an effect', async () => {
    sandbox.putTask({ sdkAppId: 1400000001, taskId: 'x', status: 'finished' });
    sandbox.setFaults([{ fault: { kind: 'error', code: 'RequestLimitExceeded' }, times: 1 }]);
    expect(await runOnce(sandbox, 'x')).toMatchObject({
      status: 200,
      code: 'already-finished',
      attempts: 2,
    });
  });

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
