/** The system's clocks and timers, which the libs receive as a parameter. */
export const systemClock = {
  /** Milliseconds of a monotonic clock. */
  now: (): number => performance.now(),
  /** Milliseconds since 1970-01-01 UTC. */
  wallClockMs: (): number => Date.now(),

  setTimer: (ms: number, callback: () => void): (() => void) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** The injection token of the clock that the quota and the Tencent Cloud client use. */
export const CLOCK = Symbol('clock');

export type SystemClock = typeof systemClock;
