/**
 * A `Date` header further from this machine's clock than this is not used. If the clock were wrong by more, the
 * certificate checks of the connection would fail in many cases.
 */
const MAX_DEVIATION_MS = 7 * 24 * 3_600_000;

/**
 * Parses the `Date` header of a response.
 *
 * @param wallClockMs the time of this machine
 * @returns milliseconds since 1970-01-01 UTC; undefined if the header is not a date in the format of RFC 9110
 *   (IMF-fixdate), or differs from the time of this machine by more than seven days
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
 */
export function parseHttpDate(date: string | undefined, wallClockMs: number): number | undefined {
  // oxlint-disable-next-line no-restricted-globals -- reads text, not the clock
  const parsed = new Date(date ?? '');
  const isPlausible = Math.abs(parsed.getTime() - wallClockMs) <= MAX_DEVIATION_MS;
  return isPlausible && parsed.toUTCString() === date ? parsed.getTime() : undefined;
}
