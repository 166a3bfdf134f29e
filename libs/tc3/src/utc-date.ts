const SECONDS_PER_DAY = 86_400;
const MS_PER_DAY = 86_400_000;
const MAX_TIMESTAMP = 253_402_300_799; // 9999-12-31T23:59:59Z: later years have five digits

/** Returns the UTC day of a timestamp in whole UNIX seconds, counted from 1970-01-01. */
export function utcDay(timestamp: number): number {
  // The maximum also catches milliseconds passed by mistake: as seconds, they are beyond the year 9999.
  if (!Number.isInteger(timestamp) || timestamp < 0 || timestamp > MAX_TIMESTAMP) {
    throw new RangeError('timestamp must be whole UNIX seconds');
  }
  return Math.floor(timestamp / SECONDS_PER_DAY);
}

/** Formats a UTC day, counted from 1970-01-01, as YYYY-MM-DD. */
export function utcDate(day: number): string {
  // oxlint-disable-next-line no-restricted-globals -- formats the given day, reads no clock
  return new Date(day * MS_PER_DAY).toISOString().slice(0, 10);
}
