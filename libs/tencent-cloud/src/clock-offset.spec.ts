import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ClockOffset } from './clock-offset.js';

const NOW = Date.UTC(2026, 0, 1, 12);
const DAY = 86_400_000;
const header = (wallClockMs: number): string => new Date(wallClockMs).toUTCString();

describe('the clock offset', () => {
  it.each([-7 * DAY, -3_600_000, -300_000, 300_000, 7 * DAY])(
    'is %d ms when the Date header differs by that',
    (offset) => {
      const clock = new ClockOffset();
      expect(clock.correct(0, header(NOW + offset), NOW)).toBe(true);
      expect(clock.ms).toBe(offset);
    },
  );

  it.each([
    ['a small difference', header(NOW + 2000)],
    ['no date', undefined],
    ['an invalid date', 'yesterday'],
    ['an empty date', ''],
    ['a date in another format than HTTP dates have', '2026-01-01T13:00:00Z'],
    ['a date with the wrong day of the week', header(NOW + 3_600_000).replace('Thu', 'Fri')],
    ['a date in 1900', 'Mon, 01 Jan 1900 00:00:00 GMT'],
    ['the last date that a Date can hold', 'Sat, 13 Sep 275760 00:00:00 GMT'],
    ['a date seven days and a second ahead', header(NOW + 7 * DAY + 1000)],
    ['a date seven days and a second ago', header(NOW - 7 * DAY - 1000)],
  ])('does not change for %s', (_, date) => {
    const clock = new ClockOffset();
    expect(clock.correct(0, date, NOW)).toBe(false);
    expect(clock.ms).toBe(0);
  });

  it('returns to 0 when this machine’s clock is corrected', () => {
    const clock = new ClockOffset();
    clock.correct(0, header(NOW + 3_600_000), NOW);
    expect(clock.correct(3_600_000, header(NOW + 3_600_000), NOW + 3_600_000)).toBe(true);
    expect(clock.ms).toBe(0);
  });

  it.each([
    ['the same date', header(NOW + 3_600_000)],
    ['no date', undefined],
  ])('returns to 0 when the cloud rejects it with %s', (_, date) => {
    const clock = new ClockOffset();
    clock.correct(0, header(NOW + 3_600_000), NOW);
    expect(clock.correct(3_600_000, date, NOW)).toBe(false);
    expect(clock.ms).toBe(0);
  });

  it('stays when the rejected signature was made with an earlier offset', () => {
    const clock = new ClockOffset();
    clock.correct(0, header(NOW + 3_600_000), NOW);
    expect(clock.correct(0, header(NOW + 3_600_000), NOW)).toBe(true);
    expect(clock.ms).toBe(3_600_000);
  });

  it('is never more than seven days, whatever the cloud sends', () => {
    const date = fc.oneof(
      fc.string(),
      fc.date({ noInvalidDate: true }).map((value) => value.toUTCString()),
      fc.integer({ min: -14 * DAY, max: 14 * DAY }).map((offset) => header(NOW + offset)),
    );
    fc.assert(
      fc.property(fc.array(date), (dates) => {
        const clock = new ClockOffset();
        for (const text of dates) {
          clock.correct(clock.ms, text, NOW);
          expect(Math.abs(clock.ms)).toBeLessThanOrEqual(7 * DAY);
        }
      }),
    );
  });
});
