import { hash, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { constantTimeIndexOf } from '../../apps/gateway/src/auth/constant-time-index-of.js';
import { ApiKeyStore } from '../../apps/gateway/src/auth/api-key-store.js';
import { rankCorrelation } from '../support/rank-correlation.js';

/** Of independent quantities, so many pairs have a rank correlation of 0 with a standard deviation of 0.01. */
const RUNS = 10_000;
const WARM_UP = 2000;
const MAX_CORRELATION = 0.05;

interface WrongKey {
  readonly shared: number;
  readonly digits: string;
}

/** A key that has the first so many hex digits of the right one, and not the next. */
function wrongKey(validKey: string, shared: number): WrongKey {
  // Bytes, because a string put together of pieces takes longer to read, and that depends on the pieces.
  const digits = Buffer.from(randomBytes(32).toString('hex'));
  digits.write(validKey.slice(0, shared));
  if (digits[shared] === validKey.charCodeAt(shared))
    digits.write(validKey[shared] === '0' ? '1' : '0', shared);
  return { shared, digits: digits.toString('latin1') };
}

/** How far the time that a wrong key takes depends on how many leading digits it shares with the right one. */
function timingCorrelation(validKey: string, check: (key: string) => unknown): number {
  // All made before the first is timed: making one takes the longer the more it shares, and that echoes in caches.
  const keys = Array.from({ length: WARM_UP + RUNS }, () =>
    wrongKey(validKey, Math.floor(Math.random() * 64)),
  );
  const timed = keys.map(({ shared, digits }) => {
    const start = process.hrtime.bigint();
    check(digits);
    return [shared, Number(process.hrtime.bigint() - start)] as const;
  });
  return rankCorrelation(timed.slice(WARM_UP));
}

const words = (hex: string): Int32Array => new Int32Array(Uint8Array.from(Buffer.from(hex, 'hex')).buffer);

describe('the time that a wrong key takes', () => {
  const validKey = randomBytes(32).toString('hex');

  it('does not depend on how many leading hex digits it shares with a right one', () => {
    const ring = new ApiKeyStore(
      [validKey, 'another', 'a third'].map((key) => ({
        name: key.slice(0, 8),
        keySha256: hash('sha256', key),
        sdkAppIds: undefined,
      })),
    );
    expect(Math.abs(timingCorrelation(validKey, (key) => ring.find(key)))).toBeLessThan(MAX_CORRELATION);
  });

  it('nor on how many leading hex digits its digest shares with a right one, among 1000', () => {
    const digests = words(validKey + randomBytes(32 * 999).toString('hex'));
    expect(
      Math.abs(timingCorrelation(validKey, (digest) => constantTimeIndexOf(digests, words(digest)))),
    ).toBeLessThan(MAX_CORRELATION);
  });

  it('would show a comparison that ends at the first difference', () => {
    const leaky = (key: string): boolean => {
      for (let at = 0; at < key.length; at += 1) {
        if (hash('sha256', key[at]!) !== hash('sha256', validKey[at]!)) return false;
      }
      return true;
    };
    expect(timingCorrelation(validKey, leaky)).toBeGreaterThan(0.5);
  });
});
