import { describe, expect, it } from '@jest/globals';
import { Faults, type FaultRule } from './faults.js';

const any = (): boolean => true;
const rule = (code: string, rest: Partial<FaultRule> = {}): FaultRule => ({
  fault: { kind: 'error', code },
  times: 1,
  ...rest,
});

function nextCode(faults: Faults, taskId?: string): string | undefined {
  const fault = faults.next(taskId, any)?.fault;
  return fault?.kind === 'error' ? fault.code : undefined;
}

describe('Faults', () => {
  it('applies the first rule that has uses left, then the next, then none', () => {
    const faults = new Faults(() => 0);
    faults.replace([rule('A', { times: 2 }), rule('B')]);
    expect([1, 2, 3, 4].map(() => nextCode(faults))).toEqual(['A', 'A', 'B', undefined]);
  });

  it('never uses up a rule with times: always', () => {
    const faults = new Faults(() => 0);
    faults.replace([rule('A', { times: 'always' })]);
    for (let i = 0; i < 100; i += 1) expect(nextCode(faults)).toBe('A');
    expect(faults.list()).toEqual([rule('A', { times: 'always' })]);
  });

  it('applies a rule with a taskId to that task only', () => {
    const faults = new Faults(() => 0);
    faults.replace([rule('A', { taskId: 'one' })]);
    expect([nextCode(faults, 'two'), nextCode(faults, 'one'), nextCode(faults, 'one')]).toEqual([
      undefined,
      'A',
      undefined,
    ]);
  });

  it('does not use up a rule when its probability is not met', () => {
    const draws = [0.5, 0.49];
    const faults = new Faults(() => draws.shift() ?? 1);
    faults.replace([rule('A', { probability: 0.5 })]);
    expect([nextCode(faults), nextCode(faults)]).toEqual([undefined, 'A']);
  });

  it('skips faults that do not apply, and lists the remaining uses', () => {
    const faults = new Faults(() => 0);
    faults.replace([rule('A'), { fault: { kind: 'no-response' }, times: 3 }]);
    expect(faults.next(undefined, ({ kind }) => kind === 'no-response')?.fault.kind).toBe('no-response');
    expect(faults.list().map(({ times }) => times)).toEqual([1, 2]);
  });
});
