/** Time as the client sees it, passed in so that tests can run it by hand. */
export interface Clock {
  /** Milliseconds since 1970-01-01 UTC, for signatures. */
  wallClockMs(): number;
  /** Milliseconds of a clock that never goes back, for durations. */
  now(): number;
  /** Calls back once after `ms` milliseconds; the function returned cancels that. */
  setTimer(ms: number, callback: () => void): () => void;
}
