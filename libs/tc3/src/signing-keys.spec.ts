import { inspect } from 'node:util';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { authorization } from './authorization.js';
import { SigningKeys } from './signing-keys.js';

const MIDNIGHT = 1_735_689_600;
const DAY = 86_400;

const secretKey = 'Gu5t9xGARNpq86cd98joQYCN3EXAMPLE';
const credentials = { secretId: 'AKIDEXAMPLE', secretKey };

describe('remembered signing keys', () => {
  it('sign as keys derived anew, however credentials, services and days alternate', () => {
    const uses = fc.array(
      fc.record({
        secretId: fc.constantFrom('AKID1', 'AKID2'),
        secretKey: fc.constantFrom('a', 'b', 'trtca', secretKey),
        service: fc.constantFrom('trtc', 'cvm', 'c'),
        at: fc
          .tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: -2, max: 2 }))
          .map(([days, seconds]) => MIDNIGHT + days * DAY + seconds),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(uses, (sequence) => {
        const keys = new SigningKeys();
        for (const { service, at, ...pair } of sequence) {
          const request = { host: 'a.example', contentType: 'application/json', payload: '{}', service };
          expect(authorization(request, pair, at, keys)).toBe(authorization(request, pair, at));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are derived once, even where attempts fall on both sides of midnight in turn', () => {
    const keys = new SigningKeys();
    const before = keys.find(credentials, 'trtc', MIDNIGHT - 1);
    const after = keys.find(credentials, 'trtc', MIDNIGHT);
    expect(after.scope).not.toBe(before.scope);
    for (let turn = 0; turn < 20; turn += 1) {
      expect(keys.find(credentials, 'trtc', MIDNIGHT - 1)).toBe(before);
      expect(keys.find(credentials, 'trtc', MIDNIGHT + turn)).toBe(after);
    }
  });

  it('follow a secret key that is rotated inside one object', () => {
    const keys = new SigningKeys();
    const rotating = { ...credentials };
    const old = keys.find(rotating, 'trtc', MIDNIGHT);
    rotating.secretKey = 'rotated';
    expect(keys.find(rotating, 'trtc', MIDNIGHT).key.equals(old.key)).toBe(false);
  });

  it('are forgotten, oldest first, when credentials are rotated again and again', () => {
    const keys = new SigningKeys();
    const first = keys.find(credentials, 'trtc', MIDNIGHT);
    for (let rotation = 1; rotation < 8; rotation += 1) {
      keys.find({ ...credentials, secretKey: `rotated${rotation}` }, 'trtc', MIDNIGHT);
    }
    expect(keys.find(credentials, 'trtc', MIDNIGHT)).toBe(first);
    keys.find({ ...credentials, secretKey: 'rotated8' }, 'trtc', MIDNIGHT);
    expect(keys.find(credentials, 'trtc', MIDNIGHT)).not.toBe(first);
  });

  it('show neither themselves nor the secret to a log', () => {
    const keys = new SigningKeys();
    const found = keys.find(credentials, 'trtc', MIDNIGHT);
    const shown = [keys, found]
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
