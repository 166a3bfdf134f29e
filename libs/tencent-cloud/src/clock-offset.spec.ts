import { describe, expect, it } from '@jest/globals';
import { ClockOffset } from './clock-offset.js';

const NOW = Date.UTC(2026, 0, 1, 12);
const header = (wallClockMs: number): string => new Date(wallClockMs).toUTCString();

describe('the clock offset', () => {
  it.each([-3_600_000, -300_000, 300_000, 86_400_000])(
    'is %d ms when the Date header differs by that',
    (offset) => {
      const clock = new ClockOffset();
      expect(clock.correct(header(NOW + offset), NOW)).toBe(true);
      expect(clock.ms).toBe(offset);
      expect(clock.correct(header(NOW + offset), NOW)).toBe(false);
    },
  );

  it.each([
    ['a small difference', header(NOW + 2000)],
    ['no date', undefined],
    ['an invalid date', 'yesterday'],
    ['an empty date', ''],
  ])('does not change for %s', (_, date) => {
    const clock = new ClockOffset();
    expect(clock.correct(date, NOW)).toBe(false);
    expect(clock.ms).toBe(0);
  });

  it('returns to 0 when this machine’s clock is corrected', () => {
    const clock = new ClockOffset();
    clock.correct(header(NOW + 3_600_000), NOW);
    expect(clock.correct(header(NOW + 3_600_000), NOW + 3_600_000)).toBe(true);
    expect(clock.ms).toBe(0);
  });
});
