/** The clocks of the client. Tests pass in ones that they control. */
export interface Clock {
  /** Returns milliseconds since 1970-01-01 UTC, for signatures and expiry times. */
  wallClockMs(): number;
  /** Returns milliseconds of a monotonic clock, for durations. */
  now(): number;
  /** Calls `callback` once after `ms` milliseconds. The returned function cancels the timer. */
  setTimer(ms: number, callback: () => void): () => void;
}
