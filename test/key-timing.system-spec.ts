import { hash, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { findDigest } from '../apps/gateway/src/callers/find-digest.js';
import { KeyRing } from '../apps/gateway/src/callers/key-ring.js';
import { rankCorrelation } from './support/rank-correlation.js';

/** Of independent quantities, so many pairs have a rank correlation of 0 with a standard deviation of 0.01. */
const RUNS = 10_000;
const WARM_UP = 2000;
const NONE = 0.05;

interface WrongKey {
  readonly shared: number;
  readonly digits: string;
}

/** A key that has the first so many hex digits of the right one, and not the next. */
function wrongKey(right: string, shared: number): WrongKey {
  // Bytes, because a string put together of pieces takes longer to read, and that depends on the pieces.
  const digits = Buffer.from(randomBytes(32).toString('hex'));
  digits.write(right.slice(0, shared));
  if (digits[shared] === right.charCodeAt(shared)) digits.write(right[shared] === '0' ? '1' : '0', shared);
  return { shared, digits: digits.toString('latin1') };
}

/** How far the time that a wrong key takes depends on how many leading digits it shares with the right one. */
function dependence(right: string, check: (key: string) => unknown): number {
  // All made before the first is timed: making one takes the longer the more it shares, and that echoes in caches.
  const keys = Array.from({ length: WARM_UP + RUNS }, () => wrongKey(right, Math.floor(Math.random() * 64)));
  const timed = keys.map(({ shared, digits }) => {
    const start = process.hrtime.bigint();
    check(digits);
    return [shared, Number(process.hrtime.bigint() - start)] as const;
  });
  return rankCorrelation(timed.slice(WARM_UP));
}

const words = (hex: string): Int32Array => new Int32Array(Uint8Array.from(Buffer.from(hex, 'hex')).buffer);

describe('the time that a wrong key takes', () => {
  const right = randomBytes(32).toString('hex');

  it('does not depend on how many leading hex digits it shares with a right one', () => {
    const ring = new KeyRing(
      [right, 'another', 'a third'].map((key) => ({
        name: key.slice(0, 8),
        keySha256: hash('sha256', key),
        sdkAppIds: undefined,
      })),
    );
    expect(Math.abs(dependence(right, (key) => ring.find(key)))).toBeLessThan(NONE);
  });

  it('nor on how many leading hex digits its digest shares with a right one, among 1000', () => {
    const digests = words(right + randomBytes(32 * 999).toString('hex'));
    expect(Math.abs(dependence(right, (digest) => findDigest(digests, words(digest))))).toBeLessThan(NONE);
  });

  it('would show a comparison that ends at the first difference', () => {
    const leaky = (key: string): boolean => {
      for (let at = 0; at < key.length; at += 1) {
        if (hash('sha256', key[at]!) !== hash('sha256', right[at]!)) return false;
      }
      return true;
    };
    expect(dependence(right, leaky)).toBeGreaterThan(0.5);
  });
});
