import { beforeEach, describe, expect, it } from '@jest/globals';
import { Leases } from './leases.js';

let leases: Leases;

beforeEach(() => {
  leases = new Leases();
});

describe('Leases', () => {
  it('counts the active leases of each caller until they expire', () => {
    leases.add('a1', 'a', 1000);
    leases.add('a2', 'a');
    leases.add('b1', 'b', 2000);
    expect(Object.fromEntries(leases.summary(999).countByCaller)).toEqual({ a: 2, b: 1 });
    expect(Object.fromEntries(leases.summary(1000).countByCaller)).toEqual({ a: 1, b: 1 });
    leases.release('a2', 1500);
    leases.add('c1', 'c');
    expect(Object.fromEntries(leases.summary(2000).countByCaller)).toEqual({ c: 1 });
    expect([...leases.active(2000).keys()]).toEqual(['c1']);
  });

  it('returns when each lease expires, which is never while its call is in flight', () => {
    expect(leases.summary(0)).toMatchObject({ expiryTimes: [], nextExpiry: Infinity });
    leases.add('a', 'a');
    leases.add('b', 'b');
    expect(leases.summary(0)).toMatchObject({ expiryTimes: [Infinity, Infinity], nextExpiry: Infinity });
    leases.release('b', 900);
    expect(leases.summary(0)).toMatchObject({ expiryTimes: [Infinity, 900], nextExpiry: 900 });
    leases.release('a', 3000);
    expect(leases.summary(900)).toMatchObject({ expiryTimes: [3000], nextExpiry: 3000 });
  });

  it('has a new version after each added or released lease, but not after one expires', () => {
    const { version } = leases;
    leases.add('a', 'a');
    expect(leases.version).toBe(version + 1);
    leases.release('a', 900);
    expect(leases.version).toBe(version + 2);
    leases.summary(900);
    expect(leases.version).toBe(version + 2);
  });
});
