import { describe, expect, it } from '@jest/globals';

import { utcDay } from './utc-day.js';

describe('a UTC day', () => {
  it.each([
    [0, 0],
    [86_399, 0],
    [86_400, 1],
    [1_735_689_599, 20_088],
    [1_735_689_600, 20_089],
    [253_402_300_799, 2_932_896],
  ])('of second %d is %d', (at, day) => {
    expect(utcDay(at)).toBe(day);
  });

  it.each([-1, 0.5, 1_735_689_600.25, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1_735_689_600_000])(
    'is refused for %d',
    (at) => {
      expect(() => utcDay(at)).toThrow(new RangeError('the time must be whole UNIX seconds'));
    },
  );
});
