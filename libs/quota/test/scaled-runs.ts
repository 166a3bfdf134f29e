declare global {
  /** True in `npm run test:system`: jest.system.config.js sets it. */
  var isSystemTest: true | undefined;
}

/** The number of runs of a property: all in `npm run test:system`, a tenth of them in `npm test`. */
export const scaledRuns = (runs: number): number => (globalThis.isSystemTest ? runs : runs / 10);
