/** The clock of the quota. Tests pass in one that they control. */
export interface Clock {
  /** Returns milliseconds of a monotonic clock. Only differences have a meaning. */
  now(): number;
  /** Calls `callback` once after `ms` milliseconds. The returned function cancels the timer. */
  setTimer(ms: number, callback: () => void): () => void;
}
