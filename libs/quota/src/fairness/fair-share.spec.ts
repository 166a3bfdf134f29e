import { describe, expect, it } from '@jest/globals';
import { checkFairShare } from './fair-share.js';
import type { Demand } from './max-min-shares.js';

/** The use of one caller: slots in use, slots demanded, and when it was last served. */
type Usage = [used: number, slots: number, lastServedAt?: number];

function check(caller: string, callers: Record<string, Usage>, capacity = 20): string {
  const entries = Object.entries(callers);
  return checkFairShare(
    caller,
    capacity,
    new Map(entries.flatMap(([name, [used]]) => (used > 0 ? [[name, used] as const] : []))),
    entries.map(([name, [, slots, lastServedAt = -Infinity]]): Demand => ({
      caller: name,
      slots,
      lastServedAt,
    })),
  );
}

describe('a caller', () => {
  it.each<[title: string, string, caller: string, capacity: number, Record<string, Usage>]>([
    ['alone may use every slot', 'granted', 'a', 20, { a: [19, 100] }],
    ['alone is rejected if no slot is free', 'quota', 'a', 20, { a: [20, 100] }],
    ['alone is rejected while it has more slots than exist', 'quota', 'a', 10, { a: [12, 100] }],
    ['at its share may use a slot that nobody needs', 'granted', 'a', 20, { a: [16, 100], b: [2, 3] }],
    ['at its share may not use a slot that another needs', 'share', 'a', 20, { a: [17, 100], b: [2, 3] }],
    ['at its share may not use slots that another needs', 'share', 'a', 20, { a: [10, 100], b: [0, 100] }],
    ['below its share is rejected if no slot is free', 'quota', 'b', 20, { a: [20, 100], b: [0, 5] }],
  ])('%s: %s', (_, decision, caller, capacity, callers) => {
    expect(check(caller, callers, capacity)).toBe(decision);
  });

  it('within its share is granted the only free slot although a caller above its share lacks more', () => {
    expect(check('b', { a: [4, 100], b: [0, 2], c: [15, 100] })).toBe('granted');
  });

  it('above its share leaves the missing slots to a caller within its share', () => {
    expect(check('a', { a: [4, 100], b: [0, 1], c: [15, 100] })).toBe('quota');
    expect(check('a', { a: [4, 100], b: [0, 1], c: [14, 100] })).toBe('granted');
  });

  it('leaves one slot to a caller with fewer slots', () => {
    expect(check('a', { a: [4, 100], b: [3, 100], c: [12, 100] })).toBe('quota');
    expect(check('a', { a: [4, 100], b: [3, 100], c: [11, 100] })).toBe('granted');
    expect(check('b', { a: [4, 100], b: [3, 100], c: [12, 100] })).toBe('granted');
  });

  it('leaves one slot to a caller with as many slots that was served longer ago', () => {
    expect(check('a', { a: [4, 100, 2], b: [4, 100, 1], c: [11, 100] })).toBe('quota');
    expect(check('b', { a: [4, 100, 2], b: [4, 100, 1], c: [11, 100] })).toBe('granted');
    expect(check('a', { a: [4, 100, 1], b: [4, 100, 1], c: [11, 100] })).toBe('granted');
  });
});
