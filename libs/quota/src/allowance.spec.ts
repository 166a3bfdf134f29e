import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Allowance } from './allowance.js';

describe('the number of slots that may be used', () => {
  it('halves at a refusal, stays so for five seconds, and grows by one a second', () => {
    const allowance = new Allowance(20);
    expect(allowance.lower(1000)).toBe(true);
    expect([1000, 5999, 6000, 7000, 14_999, 15_000, 99_000].map((now) => allowance.at(now))).toEqual([
      10, 10, 11, 12, 19, 20, 20,
    ]);
  });

  it('is lowered once for all refusals of a burst', () => {
    const allowance = new Allowance(20);
    allowance.lower(0);
    expect(allowance.lower(999)).toBe(false);
    expect(allowance.at(999)).toBe(10);
    expect(allowance.lower(1000)).toBe(true);
    expect(allowance.at(1000)).toBe(5);
  });

  it('never leaves 1 to full, whatever comes, and says truly when it next grows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 20 }),
        (full, gaps) => {
          const allowance = new Allowance(full);
          let now = 0;
          for (const gap of gaps) {
            now += gap;
            allowance.lower(now);
            const at = allowance.at(now);
            expect(at).toBeGreaterThanOrEqual(1);
            expect(at).toBeLessThanOrEqual(full);
            const next = allowance.nextStep(now);
            const isFull = next === Infinity;
            expect(isFull).toBe(at === full);
            const around = isFull ? [at, at + 1] : [allowance.at(next - 1), allowance.at(next)];
            expect(around).toEqual([at, at + 1]);
          }
        },
      ),
    );
  });
});
