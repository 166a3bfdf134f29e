import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { canonicalHeader } from './canonical-header.js';

describe('canonicalHeader', () => {
  it('lower-cases and trims the value, and ends the line', () => {
    expect(canonicalHeader('content-type', '  Application/JSON ')).toBe('content-type:application/json\n');
  });

  it('keeps spaces inside the value, and does not change a canonical value', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^ {0,3}[!-~]([ -~]{0,40}[!-~])? {0,3}$/), (value) => {
        const line = canonicalHeader('host', value);
        const canonical = line.slice('host:'.length, -1);
        expect(canonical).toBe(value.replace(/^ +| +$/g, '').toLowerCase());
        expect(canonicalHeader('host', canonical)).toBe(line);
      }),
    );
  });

  it.each(['', '  ', 'a\r\nx-evil: 1', 'a\n', '\na', 'a\tb', 'a\u007f', 'ä', '\u00a0a', '\ud800'])(
    'rejects %j, whose bytes on the wire differ from the signed ones',
    (value) => {
      expect(() => canonicalHeader('host', value)).toThrow(
        new TypeError('host must be printable ASCII on one line, and not blank'),
      );
    },
  );
});
