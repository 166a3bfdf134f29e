import { beforeEach, describe, expect, it } from '@jest/globals';
import { LogSampler, type LogSource } from './log-sampler.js';

let endSecond: () => void;
let windowMs: number;
let reports: [LogSource, number][];
let sampler: LogSampler;

beforeEach(() => {
  reports = [];
  sampler = new LogSampler(
    (ms, callback) => {
      endSecond = callback;
      windowMs = ms;
      return () => {};
    },
    (source, count) => reports.push([source, count]),
  );
});

const admitted = (source: LogSource, entries: number): number =>
  Array.from({ length: entries }, () => sampler.admit(source)).filter(Boolean).length;

describe('LogSampler', () => {
  it('admits ten entries of a source in a second, and reports the number of the others', () => {
    expect(admitted({ caller: 'rooms' }, 25)).toBe(10);
    endSecond();
    expect(windowMs).toBe(1000);
    expect(reports).toEqual([[{ caller: 'rooms' }, 15]]);
    expect(admitted({ caller: 'rooms' }, 10)).toBe(10);
    endSecond();
    expect(reports).toHaveLength(1);
  });

  it('counts each caller and each address by itself', () => {
    expect(admitted({ caller: 'rooms' }, 11)).toBe(10);
    expect(admitted({ caller: 'studio' }, 3)).toBe(3);
    // The name of a caller can look like an address.
    expect(admitted({ address: 'rooms' }, 12)).toBe(10);
    endSecond();
    expect(reports).toEqual([
      [{ caller: 'rooms' }, 1],
      [{ address: 'rooms' }, 2],
    ]);
  });

  it('counts all addresses after the first hundred of a second as one', () => {
    for (let address = 0; address < 100; address += 1)
      expect(admitted({ address: `a${address}` }, 1)).toBe(1);
    let others = 0;
    for (let address = 100; address < 10_100; address += 1) others += admitted({ address: `a${address}` }, 1);
    expect(others).toBe(10);
    // Callers are not affected.
    expect(admitted({ caller: 'rooms' }, 1)).toBe(1);
    endSecond();
    expect(reports).toEqual([[{ address: undefined }, 9990]]);
  });

  it('reports at once when it is asked to', () => {
    admitted({ caller: 'rooms' }, 11);
    sampler.report();
    expect(reports).toEqual([[{ caller: 'rooms' }, 1]]);
    expect(admitted({ caller: 'rooms' }, 11)).toBe(10);
  });
});
