import { describe, expect, it } from '@jest/globals';
import { parsePrefer } from './prefer.js';

describe('parsePrefer', () => {
  it.each([
    ['wait=5', 5],
    ['wait=0', 0],
    ['Wait = 7', 7],
    ['wait="12"', 12],
    ['wait=31', 30],
    ['wait=99999999999999999999', 30],
    ['respond-async, wait=3', 3],
    ['respond-async,wait=3,handling=lenient', 3],
    ['foo; bar=1, wait=3; baz', 3],
    ['foo="a, wait=9; b", wait=4', 4],
    [String.raw`foo="a\", wait=9", wait=4`, 4],
    ['wait=2, wait=8', 2],
    [', ,wait=6', 6],
  ])('parses %s as %d seconds', (header, expected) => {
    expect(parsePrefer(header).waitSeconds).toBe(expected);
  });

  it.each([
    undefined,
    '',
    'respond-async',
    'wait',
    'wait=',
    'wait=soon',
    'wait=-1',
    'wait=1.5',
    'wait=1e3',
    'wait="1',
    'waiting=3',
    'foo; wait=3',
    'foo="wait=3',
    'wait=soon, wait=3',
    '=3',
  ])('ignores %s', (header) => {
    expect(parsePrefer(header).waitSeconds).toBeUndefined();
  });

  it.each([
    'respond-async',
    'Respond-Async',
    'wait=3, respond-async',
    'respond-async; foo=1',
    'respond-async=""',
  ])('finds respond-async in %s', (header) => {
    expect(parsePrefer(header).respondAsync).toBe(true);
  });

  it.each([undefined, '', 'wait=3', 'respond-async=1', 'foo="respond-async"', 'foo; respond-async'])(
    'finds no respond-async in %s',
    (header) => {
      expect(parsePrefer(header).respondAsync).toBe(false);
    },
  );

  it('parses headers that provoke backtracking in linear time', () => {
    for (const header of ['"\\'.repeat(8000), ' ;'.repeat(8000), 'a='.repeat(8000), '",'.repeat(8000)])
      expect(parsePrefer(header).waitSeconds).toBeUndefined();
  });
});
