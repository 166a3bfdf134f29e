import { describe, expect, it } from '@jest/globals';
import { soak } from '../../support/soak.js';

const report = await soak({ seconds: 12, callsPerSecond: 60 });

// `npm run soak` runs the same for minutes.
describe('a gateway at 60 calls per second for 12 seconds, with faults in half of all attempts', () => {
  it('responds to every call, and never with 500', () => {
    expect(report.calls).toBe(720);
    expect(report.withoutResponse).toBe(0);
    expect(report.responses['200 stopped']).toBeGreaterThan(20);
    expect(Object.keys(report.responses).filter((label) => label.startsWith('500'))).toEqual([]);
  });

  it('reports only correct outcomes: stopped for a finished task, not-stopped and not-sent for a running task', () => {
    expect(report.incorrectOutcomes).toEqual([]);
  });

  it('sends at most 20 calls in any second', () => {
    expect(report.peakPerSecond).toBeLessThanOrEqual(20);
  });

  it('leaks no file descriptor, and exits with 0', () => {
    expect(report.end.fileDescriptors).toBeLessThanOrEqual(report.start.fileDescriptors + 25);
    expect(report.exitCode).toBe(0);
  });
});
