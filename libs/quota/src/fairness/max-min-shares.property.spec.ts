import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { scaledRuns } from '../../test/scaled-runs.js';
import { maxMinShares, type Demand } from './max-min-shares.js';

const RUNS = scaledRuns(5000);

const demand = (caller: string, slots: number, lastServedAt = 0): Demand => ({ caller, slots, lastServedAt });
const shares = (demands: Demand[], capacity: number) => Object.fromEntries(maxMinShares(demands, capacity));

describe('max-min shares', () => {
  it('meet a small demand in full and divide the rest', () => {
    expect(shares([demand('a', 1000), demand('b', 6), demand('c', 3)], 20)).toEqual({ a: 11, b: 6, c: 3 });
    expect(shares([demand('a', 1000), demand('b', 1000), demand('c', 3)], 20)).toEqual({ a: 9, b: 8, c: 3 });
    expect(shares([demand('a', 1000)], 20)).toEqual({ a: 20 });
  });

  it('give an indivisible remainder to the callers that were served longest ago', () => {
    expect(shares([demand('a', 9, 1), demand('b', 9, 2)], 3)).toEqual({ a: 2, b: 1 });
    expect(shares([demand('a', 9, 2), demand('b', 9, 1)], 3)).toEqual({ a: 1, b: 2 });
    expect(shares([demand('a', 1, 3), demand('b', 9, 1), demand('c', 9, -Infinity)], 2)).toEqual({
      a: 0,
      b: 1,
      c: 1,
    });
    expect(shares([demand('a', 1)], 0)).toEqual({ a: 0 });
  });

  it(`never exceed the demand, use the whole capacity while there is demand, and differ by at most one slot otherwise: ${RUNS.toLocaleString('en')} cases`, () => {
    const anyDemand = fc.record({
      slots: fc.integer({ min: 1, max: 30 }),
      lastServedAt: fc.integer({ min: 0, max: 9 }),
    });
    fc.assert(
      fc.property(
        fc.array(anyDemand, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 20 }),
        (drawn, capacity) => {
          const demands = drawn.map((one, index) => ({ ...one, caller: `c${index}` }));
          const result = maxMinShares(demands, capacity);
          const demanded = demands.reduce((sum, { slots }) => sum + slots, 0);
          const granted = [...result.values()].reduce((sum, share) => sum + share, 0);
          expect(granted).toBe(Math.min(capacity, demands.length > capacity ? capacity : demanded));
          for (const { caller, slots } of demands) {
            const share = result.get(caller)!;
            expect(share).toBeLessThanOrEqual(slots);
            const largestShare = share < slots ? Math.max(...result.values()) : share;
            expect(largestShare).toBeLessThanOrEqual(share + 1);
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});
