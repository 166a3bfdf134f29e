import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { FAULTS } from '../../support/upstream-faults.js';
import type { HttpResponse } from '../../support/client.js';
import { runOnce, type RunResult } from '../../support/run-once.js';
import { sandboxFixture } from '../../support/fixtures.js';

// For faults that end in a timeout.
const SHORT_TIMEOUTS = { UPSTREAM_ATTEMPT_TIMEOUT_MS: '1500' };
const PARALLEL_JOBS = 6;

const sandbox = await sandboxFixture({ acceptUnknownTasks: true, quotaPerSecond: 100_000 });
const results = new Map<string, RunResult>();
const taskIdOf = (index: number, times: 'once' | 'always'): string => `${times}-${index}`;

const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length;
// Other test files may have run in this process.
const openSocketsBefore = openSockets();

/** Runs jobs in parallel, at most `width` at a time. */
async function runInParallel(jobs: (() => Promise<void>)[], width: number): Promise<void> {
  const worker = async (): Promise<void> => {
    for (let next = jobs.shift(); next; next = jobs.shift()) await next();
  };
  await Promise.all(Array.from({ length: width }, worker));
}

const warnings: string[] = [];
process.on('warning', ({ name }) => warnings.push(name));

beforeAll(async () => {
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
  await runInParallel(jobs, PARALLEL_JOBS);
}, 300_000);

function expectUpstream({ body }: HttpResponse, code: string): void {
  expect(body!['upstream']).toEqual({ code, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
}

describe.each(['once', 'always'] as const)('a fault that is injected %s', (times) => {
  it.each(FAULTS.map((row, index) => ({ ...row, index })))(
    'has the expected result: $name',
    ({ index, ...row }) => {
      const [status, code, outcome, attempts] = row[times];
      const taskId = taskIdOf(index, times);
      const result = results.get(taskId)!;
      expect(result).toMatchObject({ status, code, attempts, slots: attempts });
      expect(result.outcome).toBe(outcome);
      expect(result.response.text.length).toBeLessThan(1000);
      expect(result.response.text).not.toMatch(/<html|31m|__proto__|mmm|error has occurred/);
      expect(result.response.headers['content-type']).toBe(
        status === 200 ? 'application/json; charset=utf-8' : 'application/problem+json',
      );
      expect('retry-after' in result.response.headers).toBe(status === 503);
      if (outcome === 'not-stopped' && row.fault.kind === 'error')
        expectUpstream(result.response, row.reported ?? row.fault.code);
    },
  );
});

describe('after all faults', () => {
  it('no socket is open, and Node.js has emitted no warning', async () => {
    while (openSockets() > openSocketsBefore) await sleep(50);
    expect(warnings).toEqual([]);
  });
});

describe('the reported outcomes', () => {
  it('match the state of each task: finished for stopped, running for not-stopped and not-sent', () => {
    const finished = new Set(
      sandbox
        .tasks()
        .filter((task) => task.status === 'finished')
        .map((task) => task.taskId),
    );
    const incorrect = [...results].filter(([taskId, { code, outcome }]) => {
      const { kind } = FAULTS[Number(taskId.split('-')[1])]!.fault;
      const isForgedResponse = kind === 'body' || kind === 'error';
      if (outcome === 'not-stopped' || outcome === 'not-sent') return finished.has(taskId);
      return code === 'stopped' && !isForgedResponse && !finished.has(taskId);
    });
    expect(incorrect.map(([taskId]) => taskId)).toEqual([]);
    expect(results.size).toBe(2 * FAULTS.length);
  });
});
