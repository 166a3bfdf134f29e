import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AdaptiveLimit } from './adaptive-limit.js';

describe('the number of slots that may be used', () => {
  it('halves at a refusal, stays so for five seconds, and grows by one a second', () => {
    const limit = new AdaptiveLimit(20);
    expect(limit.reduce(1000)).toBe(true);
    expect([1000, 5999, 6000, 7000, 14_999, 15_000, 99_000].map((now) => limit.current(now))).toEqual([
      10, 10, 11, 12, 19, 20, 20,
    ]);
  });

  it('is lowered once for all refusals of a burst', () => {
    const limit = new AdaptiveLimit(20);
    limit.reduce(0);
    expect(limit.reduce(999)).toBe(false);
    expect(limit.current(999)).toBe(10);
    expect(limit.reduce(1000)).toBe(true);
    expect(limit.current(1000)).toBe(5);
  });

  it('never leaves 1 to full, whatever comes, and says truly when it next grows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 20 }),
        (max, gaps) => {
          const limit = new AdaptiveLimit(max);
          let now = 0;
          for (const gap of gaps) {
            now += gap;
            limit.reduce(now);
            const current = limit.current(now);
            expect(current).toBeGreaterThanOrEqual(1);
            expect(current).toBeLessThanOrEqual(max);
            const nextIncreaseAt = limit.nextIncreaseAt(now);
            const isFull = nextIncreaseAt === Infinity;
            expect(isFull).toBe(current === max);
            const around = isFull
              ? [current, current + 1]
              : [limit.current(nextIncreaseAt - 1), limit.current(nextIncreaseAt)];
            expect(around).toEqual([current, current + 1]);
          }
        },
      ),
    );
  });
});
