/** The machine's time, in the shape that the libs ask for. */
export const systemClock = {
  now: (): number => performance.now(),
  epochMs: (): number => Date.now(),
  wakeIn: (ms: number, callback: () => void): (() => void) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
