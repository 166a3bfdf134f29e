import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AdaptiveLimit } from './adaptive-limit.js';

describe('AdaptiveLimit', () => {
  it('halves the capacity, keeps it for five seconds, and then increases it by one a second', () => {
    const limit = new AdaptiveLimit(20);
    expect(limit.reduce(1000)).toBe(true);
    expect([1000, 5999, 6000, 7000, 14_999, 15_000, 99_000].map((now) => limit.current(now))).toEqual([
      10, 10, 11, 12, 19, 20, 20,
    ]);
  });

  it('reduces the capacity once per burst', () => {
    const limit = new AdaptiveLimit(20);
    limit.reduce(0);
    expect(limit.reduce(999)).toBe(false);
    expect(limit.current(999)).toBe(10);
    expect(limit.reduce(1000)).toBe(true);
    expect(limit.current(1000)).toBe(5);
  });

  it('keeps the capacity between 1 and the maximum, and returns the time of the next increase', () => {
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
