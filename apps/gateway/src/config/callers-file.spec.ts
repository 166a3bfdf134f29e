import { describe, expect, it } from '@jest/globals';
import { InvalidCallersFileError, parseCallers } from './callers-file.js';

const DIGEST = 'ab'.repeat(32);
const OTHER_DIGEST = 'cd'.repeat(32);

function errorsOf(list: unknown): readonly string[] {
  try {
    parseCallers(typeof list === 'string' ? list : JSON.stringify(list));
  } catch (error) {
    if (error instanceof InvalidCallersFileError) return error.errors;
    throw error;
  }
  return [];
}

describe('parseCallers', () => {
  it('returns callers with and without SdkAppIds, and two keys of one caller', () => {
    const list = [
      { name: 'room-service', keySha256: DIGEST.toUpperCase(), sdkAppIds: [1400000001] },
      { name: 'room-service', keySha256: OTHER_DIGEST },
    ];
    expect(parseCallers(JSON.stringify(list))).toMatchObject([
      { name: 'room-service', sdkAppIds: new Set([1400000001]) },
      { name: 'room-service', sdkAppIds: undefined },
    ]);
  });

  it.each([
    ['incomplete JSON', '[{"name": "x", ', 'is not JSON'],
    ['an empty file', '', 'is not JSON'],
    ['an object instead of a list', {}, 'is not a JSON list'],
    ['an empty list', [], 'lists no caller'],
    ['a text instead of an object', ['x'], 'entry 1 is not an object'],
    ['a name with a space', [{ name: 'a b', keySha256: DIGEST }], 'entry 1: name must be '],
    ['a reserved name', [{ name: 'unknown', keySha256: DIGEST }], 'entry 1: name must be '],
    ['a key instead of its digest', [{ name: 'a', keySha256: 'igw_x' }], 'entry 1 (a): keySha256 must be '],
    [
      'an empty list of SdkAppIds',
      [{ name: 'a', keySha256: DIGEST, sdkAppIds: [] }],
      'entry 1 (a): sdkAppIds must ',
    ],
    ['an SdkAppId as text', [{ name: 'a', keySha256: DIGEST, sdkAppIds: ['1'] }], 'entry 1 (a): sdkAppIds'],
    [
      'a misspelled member',
      [{ name: 'a', keySha256: DIGEST, sdkAppIDs: [1] }],
      'entry 1 (a): members other than',
    ],
  ])('rejects %s', (_, list, error) => {
    expect(errorsOf(list)).toEqual([expect.stringContaining(error)]);
  });

  it('rejects the same key twice, in lower or upper case', () => {
    const list = [
      { name: 'a', keySha256: DIGEST },
      { name: 'b', keySha256: DIGEST.toUpperCase() },
    ];
    expect(errorsOf(list)).toEqual(['entry 2 (b): has the same key as entry 1 (a)']);
  });

  it('lists every error, without anything that could be a key', () => {
    const errors = errorsOf([
      { name: 'a', keySha256: DIGEST },
      { name: 'b', keySha256: `${DIGEST}00`, sdkAppIds: 'igw_secret' },
      { name: 'c', keySha256: DIGEST, igw_secret: 1 },
    ]);
    expect(errors.map((error) => error.split(':')[0])).toEqual([
      'entry 2 (b)',
      'entry 2 (b)',
      'entry 3 (c)',
      'entry 3 (c)',
    ]);
    expect(errors.join()).not.toMatch(/igw_|abab/);
  });
});
