import { expect, it } from '@jest/globals';
import { earliestGrantAt } from './earliest-grant.js';

it.each([
  ['now when a slot is free', 2, [9000], 0, 0, 500],
  ['when the startup delay ends', 2, [], 1500, 0, 1500],
  ['1001 ms after now when all calls are in flight', 1, [Infinity], 0, 0, 1501],
  ['when the first lease expires', 3, [Infinity, 900, 800], 0, 0, 800],
  ['when the second lease expires for the second call', 3, [Infinity, 900, 800], 0, 1, 900],
  ['when enough leases above the capacity have expired', 1, [2000, 1000], 0, 0, 2000],
  ['1001 ms after the first lease for a call behind one for each slot', 2, [4000, 3000], 0, 2, 4001],
  ['1001 ms after now for a call behind one for each free slot', 2, [], 0, 2, 1501],
  ['1001 ms after now when there is no slot', 0, [], 0, 0, 1501],
])('the earliest grant is %s', (_, capacity, expiryTimes, availableFrom, position, time) => {
  expect(earliestGrantAt({ capacity, expiryTimes, availableFrom }, position, 500)).toBe(time);
});
