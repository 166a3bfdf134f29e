import { expect, it } from '@jest/globals';
import { neighbourhood } from './neighbourhood.js';

it.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['2001:db8:1:2:3:4:5::', '2001:db8:1:2'],
  ['::1', '0:0:0:0'],
])('the neighbourhood of %s is %s', (address, expected) => {
  expect(neighbourhood(address)).toBe(expected);
});
