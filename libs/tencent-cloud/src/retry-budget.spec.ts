import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RetryBudget } from './retry-budget.js';

describe('the retry budget', () => {
  it('allows six retries at once, then three a second', () => {
    const budget = new RetryBudget(0);
    const allowed = Array.from({ length: 20 }, () => budget.tryWithdraw(0)).filter(Boolean).length;
    expect(allowed).toBe(6);
    expect([budget.tryWithdraw(333), budget.tryWithdraw(334), budget.tryWithdraw(334)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('never allows more than a fifth of the calls, three a second, and the initial six', () => {
    const event = fc.record({ afterMs: fc.integer({ min: 0, max: 300 }), call: fc.boolean() });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 300 }), (events) => {
        const budget = new RetryBudget(0);
        let now = 0;
        let calls = 0;
        let retries = 0;
        for (const { afterMs, call } of events) {
          now += afterMs;
          if (call) {
            calls += 1;
            budget.deposit();
          }
          if (budget.tryWithdraw(now)) retries += 1;
        }
        expect(retries).toBeLessThanOrEqual(calls * 0.2 + (now / 1000) * 3 + 6);
      }),
      { numRuns: 1000 },
    );
  });
});
