import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DIGEST_WORDS, constantTimeIndexOf } from './constant-time-index-of.js';
import { ApiKeyStore } from './api-key-store.js';

const words = (bytes: Uint8Array): Int32Array => new Int32Array(Uint8Array.from(bytes).buffer);
const entry = (name: string, key: string) => ({ name, keySha256: hash('sha256', key), sdkAppIds: undefined });

describe('a ring of keys', () => {
  it('finds every caller by each of its keys, and nobody by another', () => {
    const keys = Array.from({ length: 5000 }, (_, n) => `key-${n}`);
    const ring = new ApiKeyStore(keys.map((key, n) => entry(`caller-${n % 100}`, key)));
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
          expect(constantTimeIndexOf(digests, words(wanted))).toBe(place);
          const near = wanted.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
          const elsewhere = list.findIndex((bytes) => bytes.join() === near.join());
          expect(constantTimeIndexOf(digests, words(near))).toBe(elsewhere);
        },
      ),
    );
  });

  it('is not found in an empty list', () => {
    expect(constantTimeIndexOf(new Int32Array(), new Int32Array(DIGEST_WORDS))).toBe(-1);
  });
});
