const MILLISECONDS_PER_DAY = 86_400_000;

/** A UTC day, counted from 1970-01-01, as YYYY-MM-DD. */
export function utcDate(day: number): string {
  // oxlint-disable-next-line no-restricted-globals -- converts the day it is given; no clock is read
  return new Date(day * MILLISECONDS_PER_DAY).toISOString().slice(0, 10);
}
