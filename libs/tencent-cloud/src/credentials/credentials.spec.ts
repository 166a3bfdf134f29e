import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { Credentials } from './credentials.js';

const PARTS = ['AKIDmarkedid', 'markedkey', 'markedtoken'] as const;
const credentials = new Credentials(...PARTS);

describe('Credentials', () => {
  it('returns its parts to the signer', () => {
    expect([credentials.secretId, credentials.secretKey, credentials.token]).toEqual(PARTS);
  });

  it.each<[string, () => string]>([
    ['String()', () => String(credentials)],
    ['a template literal', () => `${credentials.toString()} ${String([credentials])}`],
    ['JSON', () => JSON.stringify({ credentials, list: [credentials] })],
    ['inspect', () => inspect({ credentials }, { depth: Infinity, showHidden: true, getters: true })],
    [
      'inspect of an error',
      () => inspect(Object.assign(new Error('x'), { credentials }), { depth: Infinity }),
    ],
    ['its own properties', () => JSON.stringify(Object.entries(Object.assign({}, credentials)))],
  ])('shows no part of itself to %s', (_, show) => {
    for (const part of PARTS) expect(show()).not.toContain(part);
  });

  it('returns [redacted] as text, in JSON and to inspect', () => {
    expect(String(credentials)).toBe('[redacted]');
    expect(JSON.stringify({ credentials })).toBe('{"credentials":"[redacted]"}');
    expect(inspect({ credentials })).toBe('{ credentials: [redacted] }');
  });
});
