import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { maxMinShares, type Wish } from './max-min-shares.js';

const wish = (caller: string, slots: number, servedAt = 0): Wish => ({ caller, slots, servedAt });
const shares = (wishes: Wish[], capacity: number) => Object.fromEntries(maxMinShares(wishes, capacity));

describe('max-min shares', () => {
  it('give a small wish in full and divide what it leaves', () => {
    expect(shares([wish('a', 1000), wish('b', 6), wish('c', 3)], 20)).toEqual({ a: 11, b: 6, c: 3 });
    expect(shares([wish('a', 1000), wish('b', 1000), wish('c', 3)], 20)).toEqual({ a: 9, b: 8, c: 3 });
    expect(shares([wish('a', 1000)], 20)).toEqual({ a: 20 });
  });

  it('give what cannot be divided to whoever was served longest ago', () => {
    expect(shares([wish('a', 9, 1), wish('b', 9, 2)], 3)).toEqual({ a: 2, b: 1 });
    expect(shares([wish('a', 9, 2), wish('b', 9, 1)], 3)).toEqual({ a: 1, b: 2 });
    expect(shares([wish('a', 1, 3), wish('b', 9, 1), wish('c', 9, -Infinity)], 2)).toEqual({
      a: 0,
      b: 1,
      c: 1,
    });
    expect(shares([wish('a', 1)], 0)).toEqual({ a: 0 });
  });

  it('are never more than wished, leave nothing that is wished for, and favour nobody: 5,000 cases', () => {
    const someWish = fc.record({
      slots: fc.integer({ min: 1, max: 30 }),
      servedAt: fc.integer({ min: 0, max: 9 }),
    });
    fc.assert(
      fc.property(
        fc.array(someWish, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 20 }),
        (some, capacity) => {
          const wishes = some.map((one, index) => ({ ...one, caller: `c${index}` }));
          const result = maxMinShares(wishes, capacity);
          const wanted = wishes.reduce((sum, { slots }) => sum + slots, 0);
          const given = [...result.values()].reduce((sum, share) => sum + share, 0);
          expect(given).toBe(Math.min(capacity, wishes.length > capacity ? capacity : wanted));
          for (const { caller, slots } of wishes) {
            const share = result.get(caller)!;
            expect(share).toBeLessThanOrEqual(slots);
            const largest = share < slots ? Math.max(...result.values()) : share;
            expect(largest).toBeLessThanOrEqual(share + 1);
          }
        },
      ),
      { numRuns: 5000 },
    );
  });
});
