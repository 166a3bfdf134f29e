import { describe, expect, it } from '@jest/globals';
import { addressPrefix, FailedAuthThrottle } from './failed-auth-throttle.js';

function createThrottle() {
  const clock = { ms: 0 };
  return { clock, throttle: new FailedAuthThrottle(() => clock.ms) };
}

const times = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

describe('FailedAuthThrottle', () => {
  it('delays each further failure of an address longer, after three without a delay', () => {
    const { throttle } = createThrottle();
    expect(times(8, () => throttle.recordFailure('192.0.2.1'))).toEqual([
      0, 0, 0, 250, 500, 1000, 2000, 2000,
    ]);
    expect(throttle.recordFailure('192.0.2.2')).toBe(0);
  });

  it('forgets the failures of an address after a minute without one', () => {
    const { throttle, clock } = createThrottle();
    for (const delay of times(4, () => throttle.recordFailure('192.0.2.1')))
      if (delay) throttle.release('192.0.2.1');
    clock.ms = 60_000;
    expect(throttle.recordFailure('192.0.2.1')).toBe(500);
    throttle.release('192.0.2.1');
    clock.ms = 120_001;
    expect(throttle.recordFailure('192.0.2.1')).toBe(0);
  });

  it('returns undefined while twenty responses to an address are delayed', () => {
    const { throttle } = createThrottle();
    times(3 + 20, () => throttle.recordFailure('192.0.2.1'));
    expect(throttle.recordFailure('192.0.2.1')).toBeUndefined();
    expect(times(4, () => throttle.recordFailure('192.0.2.2'))).toEqual([0, 0, 0, 250]);
    throttle.release('192.0.2.1');
    expect(throttle.recordFailure('192.0.2.1')).toBe(2000);
  });

  it('returns undefined while five hundred responses are delayed', () => {
    const { throttle } = createThrottle();
    for (const host of times(125, String)) times(3 + 4, () => throttle.recordFailure(host));
    expect(times(4, () => throttle.recordFailure('one more'))).toEqual([0, 0, 0, undefined]);
    throttle.release('7');
    expect(throttle.recordFailure('one more')).toBe(500);
  });

  it('tracks ten thousand addresses and drops the one with the oldest failure', () => {
    const { throttle } = createThrottle();
    times(4, () => throttle.recordFailure('first'));
    throttle.release('first');
    times(9_999, (n) => throttle.recordFailure(`other ${n}`));
    expect(throttle.recordFailure('first')).toBe(500);
    throttle.release('first');
    times(10_000, (n) => throttle.recordFailure(`another ${n}`));
    expect(throttle.recordFailure('first')).toBe(0);
  });

  it('does not drop an address to which a response is delayed', () => {
    const { throttle } = createThrottle();
    times(4, () => throttle.recordFailure('first'));
    times(10_000, (n) => throttle.recordFailure(`other ${n}`));
    expect(throttle.recordFailure('first')).toBe(500);
    throttle.release('first');
    throttle.release('first');
    expect(times(21, () => throttle.recordFailure('first')).at(-1)).toBeUndefined();
  });

  it('keeps an address with an old first failure and a recent last one', () => {
    const { throttle } = createThrottle();
    times(4, () => throttle.recordFailure('first'));
    times(9_999, (n) => throttle.recordFailure(`other ${n}`));
    expect(throttle.recordFailure('first')).toBe(500);
    throttle.recordFailure('one more');
    expect(throttle.recordFailure('first')).toBe(1000);
  });
});

describe('addressPrefix', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::6', '2001:db8:1:2'],
    ['2001:db8::6', '2001:db8:0:0'],
    ['2001:db8:1:2:3:4:5::', '2001:db8:1:2'],
    ['::1', '0:0:0:0'],
  ])('reduces %s to %s', (address, expected) => {
    expect(addressPrefix(address)).toBe(expected);
  });
});
