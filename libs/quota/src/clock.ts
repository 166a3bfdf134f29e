/** Time as the quota sees it, passed in so that tests can run it by hand. */
export interface Clock {
  /** Milliseconds of a clock that never goes back; its zero means nothing. */
  now(): number;
  /** Calls back once after `ms` milliseconds; the function returned cancels that. */
  setTimer(ms: number, callback: () => void): () => void;
}
