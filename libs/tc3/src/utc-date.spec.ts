import { describe, expect, it } from '@jest/globals';

import { utcDate, utcDay } from './utc-date.js';

describe('utcDate', () => {
  it.each([
    [0, '1970-01-01'],
    [11_016, '2000-02-29'],
    [11_017, '2000-03-01'],
    [19_782, '2024-02-29'],
    [20_088, '2024-12-31'],
    [20_089, '2025-01-01'],
    [47_540, '2100-02-28'],
    [47_541, '2100-03-01'],
    [2_932_896, '9999-12-31'],
  ])('formats day %d as %s', (day, date) => {
    expect(utcDate(day)).toBe(date);
  });
});

describe('utcDay', () => {
  it.each([
    [0, 0],
    [86_399, 0],
    [86_400, 1],
    [1_735_689_599, 20_088],
    [1_735_689_600, 20_089],
    [253_402_300_799, 2_932_896],
  ])('counts second %d to day %d', (timestamp, day) => {
    expect(utcDay(timestamp)).toBe(day);
  });

  it.each([-1, 0.5, 1_735_689_600.25, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 1_735_689_600_000])(
    'rejects %d, which is not whole UNIX seconds',
    (timestamp) => {
      expect(() => utcDay(timestamp)).toThrow(new RangeError('timestamp must be whole UNIX seconds'));
    },
  );
});
