import { inspect } from 'node:util';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { canonicalHead } from './canonical-head.js';
import { signRequest } from './sign-request.js';
import { SigningKeyCache } from './signing-key-cache.js';

const MIDNIGHT = 1_735_689_600;
const DAY = 86_400;

const secretKey = 'Gu5t9xGARNpq86cd98joQYCN3EXAMPLE';
const head = canonicalHead('a.example', 'application/json');
const credentials = { secretId: 'AKIDEXAMPLE', secretKey };

describe('SigningKeyCache', () => {
  it('signs like newly derived keys, in any order of credentials, services and days', () => {
    const uses = fc.array(
      fc.record({
        secretId: fc.constantFrom('AKID1', 'AKID2'),
        secretKey: fc.constantFrom('a', 'b', 'trtca', secretKey),
        service: fc.constantFrom('trtc', 'cvm', 'c'),
        timestamp: fc
          .tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 }))
          .map(([days, seconds]) => MIDNIGHT + days * DAY + seconds),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(uses, (sequence) => {
        const cache = new SigningKeyCache();
        for (const { service, timestamp, ...used } of sequence) {
          const request = { head, payload: '{}', service };
          expect(signRequest(request, used, timestamp, cache)).toBe(signRequest(request, used, timestamp));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('derives a key once when attempts alternate around midnight', () => {
    const cache = new SigningKeyCache();
    const before = cache.get(credentials, 'trtc', MIDNIGHT - 1);
    const after = cache.get(credentials, 'trtc', MIDNIGHT);
    expect(after.scope).not.toBe(before.scope);
    for (let round = 0; round < 20; round += 1) {
      expect(cache.get(credentials, 'trtc', MIDNIGHT - 1)).toBe(before);
      expect(cache.get(credentials, 'trtc', MIDNIGHT + round)).toBe(after);
    }
  });

  it('derives a new key when the secret key is replaced inside one object', () => {
    const cache = new SigningKeyCache();
    const rotating = { ...credentials };
    const old = cache.get(rotating, 'trtc', MIDNIGHT);
    rotating.secretKey = 'rotated';
    expect(cache.get(rotating, 'trtc', MIDNIGHT).key.equals(old.key)).toBe(false);
  });

  it('evicts the oldest key first and keeps eight', () => {
    const cache = new SigningKeyCache();
    const first = cache.get(credentials, 'trtc', MIDNIGHT);
    for (let rotation = 1; rotation < 8; rotation += 1) {
      cache.get({ ...credentials, secretKey: `rotated${rotation}` }, 'trtc', MIDNIGHT);
    }
    expect(cache.get(credentials, 'trtc', MIDNIGHT)).toBe(first);
    cache.get({ ...credentials, secretKey: 'rotated8' }, 'trtc', MIDNIGHT);
    expect(cache.get(credentials, 'trtc', MIDNIGHT)).not.toBe(first);
  });

  it('shows neither a key nor the secret when it is logged', () => {
    const cache = new SigningKeyCache();
    const found = cache.get(credentials, 'trtc', MIDNIGHT);
    const shown = [cache, found]
      .flatMap((value) => [
        inspect(value, { showHidden: true, depth: Infinity, getters: true }),
        JSON.stringify(value),
      ])
      .join('\n');
    expect(shown).not.toContain(secretKey);
    for (const encoding of ['hex', 'base64', 'latin1'] as const) {
      expect(shown).not.toContain(found.key.export().toString(encoding));
    }
  });
});
