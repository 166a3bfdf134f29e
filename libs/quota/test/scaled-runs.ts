declare global {
  /** True in `npm run test:system`: jest.system.config.js sets it. */
  var isSystemTest: true | undefined;
  /** True for ten times as many runs: `npm run test:system -- <file> --globals '{"isLongRun":true}'`. */
  var isLongRun: true | undefined;
}

/** The number of runs of a property: all in `npm run test:system`, a tenth of them in `npm test`. */
export function scaledRuns(runs: number): number {
  if (globalThis.isLongRun) return runs * 10;
  return globalThis.isSystemTest ? runs : runs / 10;
}
