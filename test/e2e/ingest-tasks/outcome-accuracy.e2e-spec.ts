import { beforeAll, describe, expect, it } from '@jest/globals';
import { soak, type SoakReport } from '../../support/soak.js';

// `npm run soak` does the same for minutes.
describe('12 seconds of 60 calls per second, with every second attempt at the cloud struck by a fault', () => {
  let report: SoakReport;

  beforeAll(async () => {
    report = await soak({ seconds: 12, callsPerSecond: 60 });
  });

  it('gives every call an answer of the contract', () => {
    expect(report.calls).toBe(720);
    expect(report.withoutResponse).toBe(0);
    expect(report.responses['200 stopped']).toBeGreaterThan(20);
    expect(Object.keys(report.responses).filter((label) => label.startsWith('500'))).toEqual([]);
  });

  it('tells nobody what is not so: stopped is finished, not-stopped and not-sent is not', () => {
    expect(report.incorrectOutcomes).toEqual([]);
  });

  it('never lets more than 20 arrive in any second', () => {
    expect(report.peakPerSecond).toBeLessThanOrEqual(20);
  });

  it('leaves no connection behind, and ends in order', () => {
    expect(report.end.fileDescriptors).toBeLessThanOrEqual(report.start.fileDescriptors + 25);
    expect(report.exitCode).toBe(0);
  });
});
