import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../apps/sandbox/src/sandbox.js';
import { FAULTS } from './support/faults-of-the-cloud.js';
import { inParallel, play, type Played } from './support/play.js';

// Where the timeout is the point.
const SHORT = { UPSTREAM_ATTEMPT_TIMEOUT_MS: '1500' };
const WIDTH = 12;

let sandbox: Sandbox;
const played = new Map<string, Played>();
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
    played.set(taskId, await play(sandbox, taskId, code === 'upstream-timeout' ? SHORT : {}));
  });
  await inParallel(jobs, WIDTH);
}, 300_000);

afterAll(() => sandbox.close());

describe.each(['once', 'always'] as const)('the fault strikes %s', (times) => {
  it.each(FAULTS.map((row, index) => ({ ...row, index })))('$name', ({ index, ...row }) => {
    const [status, code, outcome, attempts] = row[times];
    const taskId = taskIdOf(index, times);
    const result = played.get(taskId)!;
    expect(result).toMatchObject({ status, code, attempts, slots: attempts });
    expect(result.outcome).toBe(outcome);
    expect(result.answer.text.length).toBeLessThan(1000);
    expect(result.answer.text).not.toMatch(/<html|31m|__proto__|mmm/);
    if (result.status !== 200) {
      expect(result.answer.headers['content-type']).toBe('application/problem+json');
      expect(Boolean(result.answer.headers['retry-after'])).toBe(status === 503);
    }
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
    for (const [taskId, { code, outcome }] of played) {
      const index = Number(taskId.split('-')[1]);
      const lied = FAULTS[index]!.fault.kind === 'body' || FAULTS[index]!.fault.kind === 'error';
      if (code === 'stopped' && !lied) expect([taskId, finished.has(taskId)]).toEqual([taskId, true]);
      if (outcome === 'not-stopped' || outcome === 'not-sent')
        expect([taskId, finished.has(taskId)]).toEqual([taskId, false]);
    }
  });
});
