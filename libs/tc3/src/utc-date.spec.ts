import { describe, expect, it } from '@jest/globals';

import { utcDate } from './utc-date.js';

describe('a UTC date', () => {
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
  ])('of day %d is %s', (day, date) => {
    expect(utcDate(day)).toBe(date);
  });
});
