import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseTraceparent } from './traceparent.js';

const hex = (length: number) =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((text) => !/^0+$/.test(text));
const flags = fc.stringMatching(/^[0-9a-f]{2}$/);
const laterVersion = fc.stringMatching(/^[0-9a-f]{2}$/).filter((version) => !['00', 'ff'].includes(version));

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('the trace of a request', () => {
  it('is what any valid traceparent of today says', () => {
    fc.assert(
      fc.property(hex(32), hex(16), flags, (traceId, spanId, flag) => {
        expect(parseTraceparent(`00-${traceId}-${spanId}-${flag}`)?.traceId).toBe(traceId);
      }),
    );
  });

  it('is what one of a later version says, whatever else that says', () => {
    fc.assert(
      fc.property(
        laterVersion,
        hex(32),
        fc.stringMatching(/^(-[\x20-\x7e]*)?$/),
        (version, traceId, more) => {
          expect(parseTraceparent(`${version}-${traceId}-${SPAN}-01${more}`)?.traceId).toBe(traceId);
        },
      ),
    );
  });

  it('is not known once any character of a valid one is another than a digit of its kind', () => {
    const at = fc.nat({ max: 54 });
    const other = fc.stringMatching(/^[^0-9a-f-]$/);
    fc.assert(
      fc.property(hex(32), at, other, (traceId, index, character) => {
        const valid = `00-${traceId}-${SPAN}-01`;
        expect(
          parseTraceparent(valid.slice(0, index) + character + valid.slice(index + 1))?.traceId,
        ).toBeUndefined();
      }),
    );
  });

  it('is either not known or a part of the header, whatever that is', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (header) => {
        const traceId = parseTraceparent(header)?.traceId;
        expect(traceId === undefined || header.includes(traceId)).toBe(true);
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
  ])('is not known from %j', (header) => {
    expect(parseTraceparent(header)?.traceId).toBeUndefined();
  });
});
