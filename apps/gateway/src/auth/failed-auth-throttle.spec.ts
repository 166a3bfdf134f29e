import { describe, expect, it } from '@jest/globals';
import { FailedAuthThrottle } from './failed-auth-throttle.js';

function throttleAtZero() {
  const clock = { ms: 0 };
  return { clock, throttle: new FailedAuthThrottle(() => clock.ms) };
}

const times = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

describe('the answer to a wrong key', () => {
  it('is held back for longer with each one that comes from the same address', () => {
    const { throttle } = throttleAtZero();
    expect(times(8, () => throttle.recordFailure('192.0.2.1'))).toEqual([
      0, 0, 0, 250, 500, 1000, 2000, 2000,
    ]);
    expect(throttle.recordFailure('192.0.2.2')).toBe(0);
  });

  it('is given at once again after a minute without one', () => {
    const { throttle, clock } = throttleAtZero();
    for (const delay of times(4, () => throttle.recordFailure('192.0.2.1')))
      if (delay) throttle.release('192.0.2.1');
    clock.ms = 60_000;
    expect(throttle.recordFailure('192.0.2.1')).toBe(500);
    throttle.release('192.0.2.1');
    clock.ms = 120_001;
    expect(throttle.recordFailure('192.0.2.1')).toBe(0);
  });

  it('is not held back while twenty of its address are', () => {
    const { throttle } = throttleAtZero();
    times(3 + 20, () => throttle.recordFailure('192.0.2.1'));
    expect(throttle.recordFailure('192.0.2.1')).toBeUndefined();
    expect(times(4, () => throttle.recordFailure('192.0.2.2'))).toEqual([0, 0, 0, 250]);
    throttle.release('192.0.2.1');
    expect(throttle.recordFailure('192.0.2.1')).toBe(2000);
  });

  it('is not held back while five hundred of all addresses are', () => {
    const { throttle } = throttleAtZero();
    for (const host of times(125, String)) times(3 + 4, () => throttle.recordFailure(host));
    expect(times(4, () => throttle.recordFailure('one more'))).toEqual([0, 0, 0, undefined]);
    throttle.release('7');
    expect(throttle.recordFailure('one more')).toBe(500);
  });

  it('costs no memory beyond ten thousand addresses: the one quiet for longest is forgotten', () => {
    const { throttle } = throttleAtZero();
    times(4, () => throttle.recordFailure('first'));
    times(9_999, (n) => throttle.recordFailure(`other ${n}`));
    expect(throttle.recordFailure('first')).toBe(500);
    times(10_000, (n) => throttle.recordFailure(`another ${n}`));
    expect(throttle.recordFailure('first')).toBe(0);
    expect(() => throttle.release('first')).not.toThrow();
  });
});
