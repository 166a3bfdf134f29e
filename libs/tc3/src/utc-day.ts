const SECONDS_PER_DAY = 86_400;
const LAST_SECOND = 253_402_300_799; // of the year 9999, after which a date has no four-digit year

/** The UTC day, counted from 1970-01-01, of a time in whole UNIX seconds. */
export function utcDay(at: number): number {
  // The bound also catches milliseconds given by mistake: as seconds, they lie beyond the year 9999.
  if (!Number.isInteger(at) || at < 0 || at > LAST_SECOND) {
    throw new RangeError('the time must be whole UNIX seconds');
  }
  return Math.floor(at / SECONDS_PER_DAY);
}
