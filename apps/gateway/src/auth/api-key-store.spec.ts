import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DIGEST_WORDS, constantTimeIndexOf } from './constant-time-index-of.js';
import { ApiKeyStore } from './api-key-store.js';

const words = (bytes: Uint8Array): Int32Array => new Int32Array(Uint8Array.from(bytes).buffer);
const entry = (name: string, key: string) => ({ name, keySha256: hash('sha256', key), sdkAppIds: undefined });

describe('ApiKeyStore', () => {
  it('finds a caller by each of its keys, and no caller by another key', () => {
    const keys = Array.from({ length: 5000 }, (_, n) => `key-${n}`);
    const store = new ApiKeyStore(keys.map((key, n) => entry(`caller-${n % 100}`, key)));
    for (const [n, key] of keys.entries()) expect(store.find(key)?.name).toBe(`caller-${n % 100}`);
    for (const key of ['', 'key-5000', 'KEY-1', 'key-1 ', hash('sha256', 'key-1')])
      expect(store.find(key)).toBeUndefined();
    expect(store.names).toHaveLength(100);
  });
});

describe('constantTimeIndexOf', () => {
  const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });

  it('returns the index of a digest, and not when any single bit differs', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(digest, { minLength: 1, maxLength: 20, selector: (bytes) => bytes.join() }),
        fc.nat(),
        fc.nat({ max: 255 }),
        (list, seed, bit) => {
          const digests = words(Uint8Array.from(list.flatMap((bytes) => [...bytes])));
          const position = seed % list.length;
          const target = list[position]!;
          expect(constantTimeIndexOf(digests, words(target))).toBe(position);
          const changed = target.map((byte, index) => (index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
          const expected = list.findIndex((bytes) => bytes.join() === changed.join());
          expect(constantTimeIndexOf(digests, words(changed))).toBe(expected);
        },
      ),
    );
  });

  it('returns -1 for an empty list', () => {
    expect(constantTimeIndexOf(new Int32Array(), new Int32Array(DIGEST_WORDS))).toBe(-1);
  });
});
