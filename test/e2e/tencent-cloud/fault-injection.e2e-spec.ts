import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { FAULTS } from '../../support/upstream-faults.js';
import { runInParallel, runOnce, type RunResult } from '../../support/run-once.js';

// Where the timeout is the point.
const SHORT_TIMEOUTS = { UPSTREAM_ATTEMPT_TIMEOUT_MS: '1500' };
const WIDTH = 12;

let sandbox: Sandbox;
const results = new Map<string, RunResult>();
const taskIdOf = (index: number, times: 'once' | 'always'): string => `${times}-${index}`;

const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;
// This process may have run other files before.
const openBefore = openSockets();

const warnings: string[] = [];
process.on('warning', ({ name }) => warnings.push(name));

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 100_000 });
  const cases = FAULTS.flatMap((row, index) =>
    (['once', 'always'] as const).map((times) => ({ ...row, times, taskId: taskIdOf(index, times) })),
  );
  sandbox.setFaults(
    cases.map(({ fault, effect, times, taskId }) => ({
      fault,
      times: times === 'once' ? 1 : 'always',
      taskId,
      ...(effect && { effect }),
    })),
  );
  const jobs = cases.map(({ taskId, always }) => async () => {
    const [, code] = always;
    results.set(taskId, await runOnce(sandbox, taskId, code === 'upstream-timeout' ? SHORT_TIMEOUTS : {}));
  });
  await runInParallel(jobs, WIDTH);
}, 300_000);

afterAll(() => sandbox.close());

describe.each(['once', 'always'] as const)('the fault strikes %s', (times) => {
  it.each(FAULTS.map((row, index) => ({ ...row, index })))('$name', ({ index, ...row }) => {
    const [status, code, outcome, attempts] = row[times];
    const taskId = taskIdOf(index, times);
    const result = results.get(taskId)!;
    expect(result).toMatchObject({ status, code, attempts, slots: attempts });
    expect(result.outcome).toBe(outcome);
    expect(result.response.text.length).toBeLessThan(1000);
    expect(result.response.text).not.toMatch(/<html|31m|__proto__|mmm/);
    expect(result.response.headers['content-type']).toBe(
      status === 200 ? 'application/json; charset=utf-8' : 'application/problem+json',
    );
    expect('retry-after' in result.response.headers).toBe(status === 503);
  });
});

describe('when it is all over', () => {
  it('no socket is left open, and no listener was forgotten', async () => {
    while (openSockets() > openBefore) await sleep(50);
    expect(warnings).toEqual([]);
  });
});

describe('no lie in either direction', () => {
  it('what was reported stopped is finished, what was reported not stopped is not', () => {
    const finished = new Set(
      sandbox
        .tasks()
        .filter((task) => task.status === 'finished')
        .map((task) => task.taskId),
    );
    const lies = [...results].filter(([taskId, { code, outcome }]) => {
      const { kind } = FAULTS[Number(taskId.split('-')[1])]!.fault;
      const cloudLied = kind === 'body' || kind === 'error';
      if (outcome === 'not-stopped' || outcome === 'not-sent') return finished.has(taskId);
      return code === 'stopped' && !cloudLied && !finished.has(taskId);
    });
    expect(lies.map(([taskId]) => taskId)).toEqual([]);
    expect(results.size).toBe(2 * FAULTS.length);
  });
});
