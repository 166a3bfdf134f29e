import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseTraceparent } from './traceparent.js';

const hex = (length: number) =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((text) => !/^0+$/.test(text));
const flags = fc.stringMatching(/^[0-9a-f]{2}$/);
const laterVersion = fc.stringMatching(/^[0-9a-f]{2}$/).filter((version) => !['00', 'ff'].includes(version));

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('parseTraceparent', () => {
  it('returns the trace id of any valid header of version 00', () => {
    fc.assert(
      fc.property(hex(32), hex(16), flags, (traceId, spanId, flag) => {
        expect(parseTraceparent(`00-${traceId}-${spanId}-${flag}`)?.traceId).toBe(traceId);
      }),
    );
  });

  it('returns the trace id of any valid header of a later version', () => {
    fc.assert(
      fc.property(
        laterVersion,
        hex(32),
        fc.stringMatching(/^(-[\x20-\x7e]*)?$/),
        (version, traceId, suffix) => {
          expect(parseTraceparent(`${version}-${traceId}-${SPAN}-01${suffix}`)?.traceId).toBe(traceId);
        },
      ),
    );
  });

  it('returns undefined when any character of a valid header is replaced by an invalid one', () => {
    const position = fc.nat({ max: 54 });
    const invalidCharacter = fc.stringMatching(/^[^0-9a-f-]$/);
    fc.assert(
      fc.property(hex(32), position, invalidCharacter, (traceId, index, character) => {
        const valid = `00-${traceId}-${SPAN}-01`;
        expect(
          parseTraceparent(valid.slice(0, index) + character + valid.slice(index + 1))?.traceId,
        ).toBeUndefined();
      }),
    );
  });

  it.each([
    undefined,
    '',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-`,
    `00-${TRACE}-${SPAN}-01-more`,
    `01-${TRACE}-${SPAN}-01more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-01\n`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
  ])('returns undefined for %j', (header) => {
    expect(parseTraceparent(header)?.traceId).toBeUndefined();
  });

  it.each([
    ['00', false],
    ['01', true],
    ['02', false],
    ['03', true],
    ['ff', true],
  ])('parses the flags %s as sampled: %s', (text, isSampled) => {
    expect(parseTraceparent(`00-${TRACE}-${SPAN}-${text}`)).toEqual({
      traceId: TRACE,
      spanId: SPAN,
      isSampled,
    });
  });
});
