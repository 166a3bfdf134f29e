import { hash, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DIGEST_WORDS, findDigest } from './find-digest.js';
import { KeyRing } from './key-ring.js';

const words = (bytes: Uint8Array): Int32Array => new Int32Array(Uint8Array.from(bytes).buffer);
const entry = (name: string, key: string) => ({ name, keySha256: hash('sha256', key), sdkAppIds: undefined });

describe('a ring of keys', () => {
  it('finds every caller by each of its keys, and nobody by another', () => {
    const keys = Array.from({ length: 5000 }, (_, n) => `key-${n}`);
    const ring = new KeyRing(keys.map((key, n) => entry(`caller-${n % 100}`, key)));
    for (const [n, key] of keys.entries()) expect(ring.find(key)?.name).toBe(`caller-${n % 100}`);
    for (const key of ['', 'key-5000', 'KEY-1', 'key-1 ', hash('sha256', 'key-1')])
      expect(ring.find(key)).toBeUndefined();
    expect(ring.names).toHaveLength(100);
  });
});

describe('a digest', () => {
  const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });

  it('is found where it stands, and not when any single bit of it differs', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(digest, { minLength: 1, maxLength: 20, selector: (bytes) => bytes.join() }),
        fc.nat(),
        fc.nat({ max: 255 }),
        (list, pick, bit) => {
          const digests = words(Uint8Array.from(list.flatMap((bytes) => [...bytes])));
          const place = pick % list.length;
          const wanted = list[place]!;
          expect(findDigest(digests, words(wanted))).toBe(place);
          const near = wanted.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
          const elsewhere = list.findIndex((bytes) => bytes.join() === near.join());
          expect(findDigest(digests, words(near))).toBe(elsewhere);
        },
      ),
    );
  });

  it('is not found in an empty list', () => {
    expect(findDigest(new Int32Array(), new Int32Array(DIGEST_WORDS))).toBe(-1);
  });
});

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

/** Spearman's rank correlation: how far one quantity grows with the other, whatever the shape of either. */
function rankCorrelation(pairs: readonly (readonly [number, number])[]): number {
  const x = ranks(pairs.map(([first]) => first));
  const y = ranks(pairs.map(([, second]) => second));
  const mean = (pairs.length - 1) / 2;
  const covariance = (a: number[], b: number[]): number =>
    a.reduce((sum, value, at) => sum + (value - mean) * (b[at]! - mean), 0);
  return covariance(x, y) / Math.sqrt(covariance(x, x) * covariance(y, y));
}

describe('the time that a wrong key takes', () => {
  // Of independent quantities, 10,000 pairs have a correlation of 0 with a standard deviation of 0.01. Making a key
  // takes the longer the more digits it shares, and what that leaves in caches was seen to echo with up to 0.07 on a
  // busy machine. A comparison that ends at the first difference shows more than 0.5.
  const RUNS = 10_000;
  const ECHO = 0.15;

  /** Wrong keys that share 0 to 63 leading hex digits with the right one, with the time each took. */
  function measure(right: string, check: (key: string) => unknown): (readonly [number, number])[] {
    const wrongKey = (shared: number): string => {
      // Bytes, because a string put together of pieces takes longer to read, and that depends on the pieces.
      const digits = Buffer.from(randomBytes(32).toString('hex'));
      digits.write(right.slice(0, shared));
      if (digits[shared] === right.charCodeAt(shared))
        digits.write(right[shared] === '0' ? '1' : '0', shared);
      return digits.toString('latin1');
    };
    for (let n = 0; n < 2000; n += 1) check(wrongKey(n % 64));
    return Array.from({ length: RUNS }, () => {
      const shared = Math.floor(Math.random() * 64);
      const key = wrongKey(shared);
      const start = process.hrtime.bigint();
      check(key);
      return [shared, Number(process.hrtime.bigint() - start)] as const;
    });
  }

  const right = randomBytes(32).toString('hex');

  it('does not depend on how many leading hex digits it shares with a right one', () => {
    const ring = new KeyRing([right, 'another', 'a third'].map((key) => entry(key.slice(0, 8), key)));
    expect(Math.abs(rankCorrelation(measure(right, (key) => ring.find(key))))).toBeLessThan(ECHO);
  });

  it('nor on how many leading hex digits its digest shares with a right one, among 1000', () => {
    const digests = words(Buffer.from(right + randomBytes(32 * 999).toString('hex'), 'hex'));
    const times = measure(right, (digest) => findDigest(digests, words(Buffer.from(digest, 'hex'))));
    expect(Math.abs(rankCorrelation(times))).toBeLessThan(ECHO);
  });

  it('would show a comparison that ends at the first difference', () => {
    const leaky = (key: string): boolean => {
      for (let at = 0; at < key.length; at += 1) {
        if (hash('sha256', key[at]!) !== hash('sha256', right[at]!)) return false;
      }
      return true;
    };
    expect(rankCorrelation(measure(right, leaky))).toBeGreaterThan(0.5);
  });
});
