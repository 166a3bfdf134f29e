import { describe, expect, it } from '@jest/globals';
import { Faults, type FaultRule } from './faults.js';

const any = (): boolean => true;
const rule = (code: string, rest: Partial<FaultRule> = {}): FaultRule => ({
  fault: { kind: 'error', code },
  times: 1,
  ...rest,
});

function taken(faults: Faults, taskId?: string): string | undefined {
  const fault = faults.next(taskId, any)?.fault;
  return fault?.kind === 'error' ? fault.code : undefined;
}

describe('Faults', () => {
  it('uses the first rule that has times left, then the next, then none', () => {
    const faults = new Faults(() => 0);
    faults.replace([rule('A', { times: 2 }), rule('B')]);
    expect([1, 2, 3, 4].map(() => taken(faults))).toEqual(['A', 'A', 'B', undefined]);
  });

  it('never uses up a rule that holds always', () => {
    const faults = new Faults(() => 0);
    faults.replace([rule('A', { times: 'always' })]);
    for (let i = 0; i < 100; i += 1) expect(taken(faults)).toBe('A');
    expect(faults.list()).toEqual([rule('A', { times: 'always' })]);
  });

  it('strikes only the task that a rule names', () => {
    const faults = new Faults(() => 0);
    faults.replace([rule('A', { taskId: 'one' })]);
    expect([taken(faults, 'two'), taken(faults, 'one'), taken(faults, 'one')]).toEqual([
      undefined,
      'A',
      undefined,
    ]);
  });

  it('leaves a rule unused when the draw misses its probability', () => {
    const draws = [0.5, 0.49];
    const faults = new Faults(() => draws.shift() ?? 1);
    faults.replace([rule('A', { probability: 0.5 })]);
    expect([taken(faults), taken(faults)]).toEqual([undefined, 'A']);
  });

  it('passes over faults that cannot apply, and shows the times that are left', () => {
    const faults = new Faults(() => 0);
    faults.replace([rule('A'), { fault: { kind: 'no-response' }, times: 3 }]);
    expect(faults.next(undefined, ({ kind }) => kind === 'no-response')?.fault.kind).toBe('no-response');
    expect(faults.list().map(({ times }) => times)).toEqual([1, 2]);
  });
});
