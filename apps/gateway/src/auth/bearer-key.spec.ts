import { expect, it } from '@jest/globals';
import { bearerKey } from './bearer-key.js';

it.each([
  ['Bearer abc', 'abc'],
  ['bearer   A-Z._~+/0==', 'A-Z._~+/0=='],
  ['Bearer', undefined],
  ['Bearer ', undefined],
  ['Bearer a b', undefined],
  ['Bearer a=b', undefined],
  ['Bearer "abc"', undefined],
  ['Bearerabc', undefined],
  ['Basic YTpi', undefined],
  ['Basic Bearer abc', undefined],
  [' Bearer abc', undefined],
  ['', undefined],
  [undefined, undefined],
])('parses %j as the key %j', (authorization, key) => {
  expect(bearerKey(authorization)).toBe(key);
});
