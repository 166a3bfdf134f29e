import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SlidingWindowCounter } from './sliding-window-counter.js';

const steps = fc.array(
  fc.oneof(fc.constantFrom(0, 1, 50, 999, 1000, 1001), fc.double({ min: 0, max: 1500, noNaN: true })),
  {
    minLength: 1,
    maxLength: 200,
  },
);

/** Only windows that begin with an event need to be counted. */
function peakOf(times: readonly number[]): number {
  return Math.max(...times.map((start) => times.filter((t) => t >= start && t - start < 1000).length));
}

describe('SlidingWindowCounter', () => {
  it('finds the same peak as a brute-force count over all windows', () => {
    fc.assert(
      fc.property(steps, (gaps) => {
        const counter = new SlidingWindowCounter();
        const times: number[] = [];
        for (const gap of gaps) {
          const at = (times.at(-1) ?? 0) + gap;
          times.push(at);
          const inWindow = times.filter((t) => at - t < 1000).length;
          expect(counter.record(at)).toBe(inWindow);
        }
        expect(counter.peak).toBe(peakOf(times));
      }),
    );
  });

  it('counts correctly after it discards old events', () => {
    const counter = new SlidingWindowCounter();
    for (let at = 0; at < 20_000; at += 1) counter.record(at);
    expect(counter.record(20_000)).toBe(1000);
    expect(counter.peak).toBe(1000);
  });
});
