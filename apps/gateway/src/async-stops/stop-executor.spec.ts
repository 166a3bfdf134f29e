import { expect, it } from '@jest/globals';
import type { SuccessfulStop } from '../ingest-tasks/stop-outcome.js';
import { StopExecutor } from './stop-executor.js';

const TASK = { taskId: 'task', sdkAppId: 1400000001, region: 'ap-singapore' };

const RECORD = {
  ...TASK,
  isSdkAppIdFromCaller: false,
  createdAt: '2026-01-31T12:00:00.000Z',
  acceptedAtMs: 0,
  attempts: 0,
  ineffectiveStarts: 0,
};

it('holds no slot while Redis does not store the result of a stop that shared the call of another', async () => {
  const shared: SuccessfulStop = {
    result: 'stopped',
    outcome: 'stopped',
    upstream: { requestId: 'r' },
    details: { task: TASK, coalesced: 'in_flight' },
  };
  const events: string[] = [];
  const executor = new StopExecutor(
    { stopFromBacklog: async () => shared },
    {
      finish: async () => {
        events.push('stored');
        return true;
      },
      postpone: async () => {},
    },
    { now: () => 0 },
    60_000,
    { finished: () => {} },
    { info: () => {} },
    { finished: () => {}, attempted: () => {} },
  );
  const stop = { id: 'stop', caller: 'a', record: RECORD, mayHaveStopped: false, token: 'token' };
  await executor.execute(stop, { release: (reason) => events.push(reason) });
  expect(events).toEqual(['unused', 'stored']);
});
