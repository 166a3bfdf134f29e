import { hash, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { constantTimeIndexOf } from '../../apps/gateway/src/auth/constant-time-index-of.js';
import { ApiKeyStore } from '../../apps/gateway/src/auth/api-key-store.js';

/** For independent quantities, the rank correlation of this many pairs has a standard deviation of 0.01. */
const MEASUREMENTS = 10_000;
const WARM_UP = 2000;
const MAX_CORRELATION = 0.05;

/** Spearman's rank correlation, from -1 to 1. */
function rankCorrelation(pairs: readonly (readonly [number, number])[]): number {
  const x = ranks(pairs.map(([first]) => first));
  const y = ranks(pairs.map(([, second]) => second));
  const mean = (pairs.length - 1) / 2;
  const covariance = (a: number[], b: number[]): number =>
    a.reduce((sum, value, at) => sum + (value - mean) * (b[at]! - mean), 0);
  return covariance(x, y) / Math.sqrt(covariance(x, x) * covariance(y, y));
}

/** The rank of each value, from 0. Equal values get the mean of their ranks. */
function ranks(values: number[]): number[] {
  const sorted = values.map((value, at) => [value, at] as const).toSorted(([a], [b]) => a - b);
  const result = Array.from<number>({ length: values.length });
  for (let from = 0; from < sorted.length;) {
    let to = from;
    while (to < sorted.length && sorted[to]![0] === sorted[from]![0]) to += 1;
    for (let at = from; at < to; at += 1) result[sorted[at]![1]] = (from + to - 1) / 2;
    from = to;
  }
  return result;
}

interface WrongKey {
  readonly sharedDigits: number;
  readonly digits: string;
}

/** Returns a key that shares exactly this number of leading hexadecimal digits with the valid key. */
function wrongKey(validKey: string, sharedDigits: number): WrongKey {
  // A buffer, because the time to read a concatenated string depends on its parts.
  const digits = Buffer.from(randomBytes(32).toString('hex'));
  digits.write(validKey.slice(0, sharedDigits));
  if (digits[sharedDigits] === validKey.charCodeAt(sharedDigits))
    digits.write(validKey[sharedDigits] === '0' ? '1' : '0', sharedDigits);
  return { sharedDigits, digits: digits.toString('latin1') };
}

/** Correlates the time to check a wrong key with the number of leading digits that it shares with the valid key. */
function timingCorrelation(validKey: string, check: (key: string) => unknown): number {
  // All keys are created before the first measurement, because the time to create one depends on the shared digits.
  const keys = Array.from({ length: WARM_UP + MEASUREMENTS }, () =>
    wrongKey(validKey, Math.floor(Math.random() * 64)),
  );
  const timed = keys.map(({ sharedDigits, digits }) => {
    const start = process.hrtime.bigint();
    check(digits);
    return [sharedDigits, Number(process.hrtime.bigint() - start)] as const;
  });
  return rankCorrelation(timed.slice(WARM_UP));
}

const toInt32Words = (hex: string): Int32Array =>
  new Int32Array(Uint8Array.from(Buffer.from(hex, 'hex')).buffer);

describe('the time to check a wrong key', () => {
  const validKey = randomBytes(32).toString('hex');

  it('does not depend on the number of leading digits that it shares with a valid key', () => {
    const store = new ApiKeyStore(
      [validKey, 'another', 'a third'].map((key) => ({
        name: key.slice(0, 8),
        keySha256: hash('sha256', key),
        sdkAppIds: undefined,
      })),
    );
    expect(Math.abs(timingCorrelation(validKey, (key) => store.find(key)))).toBeLessThan(MAX_CORRELATION);
  });

  it('does not depend on the number of leading digits that its digest shares with one of 1,000 digests', () => {
    const digests = toInt32Words(validKey + randomBytes(32 * 999).toString('hex'));
    expect(
      Math.abs(timingCorrelation(validKey, (digest) => constantTimeIndexOf(digests, toInt32Words(digest)))),
    ).toBeLessThan(MAX_CORRELATION);
  });

  it('correlates for a comparison that ends at the first difference', () => {
    const leaky = (key: string): boolean => {
      for (let at = 0; at < key.length; at += 1) {
        if (hash('sha256', key[at]!) !== hash('sha256', validKey[at]!)) return false;
      }
      return true;
    };
    expect(timingCorrelation(validKey, leaky)).toBeGreaterThan(0.5);
  });
});
