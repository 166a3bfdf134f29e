/** The machine's time, in the shape that the libs expect. */
export const systemClock = {
  /** Milliseconds of a clock that never goes back. */
  now: (): number => performance.now(),
  /** Milliseconds since 1970-01-01 UTC. */
  wallClockMs: (): number => Date.now(),

  setTimer: (ms: number, callback: () => void): (() => void) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
