import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
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

describe('a wrong key too many', () => {
  const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3'];
  const happening = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ wrong: fc.constantFrom(...addresses), times: fc.integer({ min: 1, max: 30 }) }),
    },
    fc.record({ released: fc.constantFrom(...addresses), times: fc.integer({ min: 1, max: 25 }) }),
    fc.record({ passMs: fc.constantFrom(1, 59_999, 60_001) }),
  );

  it('is known beforehand exactly where the answer is not held back because too many are', () => {
    let tooMany = 0;
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 40 }), (happenings) => {
        const [usual, quick] = [wrongKeys(), wrongKeys()];
        const held = new Map<string, number>();
        const answers: { usual: number | undefined; quick: number | undefined; known: boolean }[] = [];
        for (const each of happenings) {
          if ('passMs' in each) for (const { clock } of [usual, quick]) clock.ms += each.passMs;
          else if ('wrong' in each)
            for (let n = 0; n < each.times; n += 1) {
              const delay = usual.keys.note(each.wrong);
              const known = quick.keys.noteOneTooMany(each.wrong);
              answers.push({ usual: delay, quick: known ? undefined : quick.keys.note(each.wrong), known });
              if (known) tooMany += 1;
              if (delay) held.set(each.wrong, (held.get(each.wrong) ?? 0) + 1);
            }
          else
            for (let n = 0; n < each.times && (held.get(each.released) ?? 0) > 0; n += 1) {
              held.set(each.released, held.get(each.released)! - 1);
              for (const { keys } of [usual, quick]) keys.released(each.released);
            }
        }
        expect(answers.map(({ quick: delay }) => delay)).toEqual(answers.map(({ usual: delay }) => delay));
        expect(answers.map(({ known }) => known)).toEqual(
          answers.map(({ usual: delay }) => delay === undefined),
        );
      }),
      { numRuns: 1000 },
    );
    expect(tooMany).toBeGreaterThan(1000);
  });
});
