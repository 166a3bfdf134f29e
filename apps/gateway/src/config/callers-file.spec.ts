import { describe, expect, it } from '@jest/globals';
import { InvalidCallersFileError, parseCallers } from './callers-file.js';

const DIGEST = 'ab'.repeat(32);
const OTHER_DIGEST = 'cd'.repeat(32);

function faultsOf(list: unknown): readonly string[] {
  try {
    parseCallers(typeof list === 'string' ? list : JSON.stringify(list));
  } catch (error) {
    if (error instanceof InvalidCallersFileError) return error.errors;
    throw error;
  }
  return [];
}

describe('a list of callers', () => {
  it('is read with and without SdkAppIds, two keys of one name included', () => {
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
    ['no JSON', '[{"name": "x", ', 'is not JSON'],
    ['nothing', '', 'is not JSON'],
    ['no list', {}, 'is not a JSON list'],
    ['nobody', [], 'lists no caller'],
    ['no object', ['x'], 'entry 1 is not an object'],
    ['a name with a blank', [{ name: 'a b', keySha256: DIGEST }], 'entry 1: name must be '],
    ['a name that stands for nobody', [{ name: 'unknown', keySha256: DIGEST }], 'entry 1: name must be '],
    [
      'a key where its digest belongs',
      [{ name: 'a', keySha256: 'igw_x' }],
      'entry 1 (a): keySha256 must be ',
    ],
    ['no SdkAppId at all', [{ name: 'a', keySha256: DIGEST, sdkAppIds: [] }], 'entry 1 (a): sdkAppIds must '],
    ['an SdkAppId as text', [{ name: 'a', keySha256: DIGEST, sdkAppIds: ['1'] }], 'entry 1 (a): sdkAppIds'],
    [
      'a member misspelt',
      [{ name: 'a', keySha256: DIGEST, sdkAppIDs: [1] }],
      'entry 1 (a): members other than',
    ],
  ])('is refused with %s', (_, list, fault) => {
    expect(faultsOf(list)).toEqual([expect.stringContaining(fault)]);
  });

  it('is refused with the same key twice, however its digest is spelled', () => {
    const list = [
      { name: 'a', keySha256: DIGEST },
      { name: 'b', keySha256: DIGEST.toUpperCase() },
    ];
    expect(faultsOf(list)).toEqual(['entry 2 (b): has the same key as entry 1 (a)']);
  });

  it('is refused with every fault at once, and shows nothing that could be a key', () => {
    const faults = faultsOf([
      { name: 'a', keySha256: DIGEST },
      { name: 'b', keySha256: `${DIGEST}00`, sdkAppIds: 'igw_secret' },
      { name: 'c', keySha256: DIGEST, igw_secret: 1 },
    ]);
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      'entry 2 (b)',
      'entry 2 (b)',
      'entry 3 (c)',
      'entry 3 (c)',
    ]);
    expect(faults.join()).not.toMatch(/igw_|abab/);
  });
});
