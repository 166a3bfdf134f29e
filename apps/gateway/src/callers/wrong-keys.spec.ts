import { describe, expect, it } from '@jest/globals';
import { WrongKeys } from './wrong-keys.js';

function wrongKeys() {
  const clock = { ms: 0 };
  return { clock, keys: new WrongKeys(() => clock.ms) };
}

const times = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

describe('the answer to a wrong key', () => {
  it('is held back for longer with each one that comes from the same address', () => {
    const { keys } = wrongKeys();
    expect(times(8, () => keys.note('192.0.2.1'))).toEqual([0, 0, 0, 250, 500, 1000, 2000, 2000]);
    expect(keys.note('192.0.2.2')).toBe(0);
  });

  it('is given at once again after a minute without one', () => {
    const { keys, clock } = wrongKeys();
    for (const delay of times(4, () => keys.note('192.0.2.1'))) if (delay) keys.released('192.0.2.1');
    clock.ms = 60_000;
    expect(keys.note('192.0.2.1')).toBe(500);
    keys.released('192.0.2.1');
    clock.ms = 120_001;
    expect(keys.note('192.0.2.1')).toBe(0);
  });

  it('is not held back while twenty of its address are', () => {
    const { keys } = wrongKeys();
    times(3 + 20, () => keys.note('192.0.2.1'));
    expect(keys.note('192.0.2.1')).toBeUndefined();
    expect(times(4, () => keys.note('192.0.2.2'))).toEqual([0, 0, 0, 250]);
    keys.released('192.0.2.1');
    expect(keys.note('192.0.2.1')).toBe(2000);
  });

  it('is not held back while five hundred of all addresses are', () => {
    const { keys } = wrongKeys();
    for (const host of times(125, String)) times(3 + 4, () => keys.note(host));
    expect(times(4, () => keys.note('one more'))).toEqual([0, 0, 0, undefined]);
    keys.released('7');
    expect(keys.note('one more')).toBe(500);
  });

  it('costs no memory beyond ten thousand addresses: the one quiet for longest is forgotten', () => {
    const { keys } = wrongKeys();
    times(4, () => keys.note('first'));
    times(9_999, (n) => keys.note(`other ${n}`));
    expect(keys.note('first')).toBe(500);
    times(10_000, (n) => keys.note(`another ${n}`));
    expect(keys.note('first')).toBe(0);
    expect(() => keys.released('first')).not.toThrow();
  });
});
