import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { canonicalHeader } from './canonical-header.js';

describe('a canonical header', () => {
  it('has its value lower-cased and trimmed, and ends in a line feed', () => {
    expect(canonicalHeader('x-tc-action', '  StopStreamIngest ')).toBe('x-tc-action:stopstreamingest\n');
  });

  it('keeps what lies between, and is not changed by being spelled again', () => {
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
    'refuses %j, which would be sent otherwise than signed',
    (value) => {
      expect(() => canonicalHeader('host', value)).toThrow(
        new TypeError('host must be printable ASCII on one line, and not blank'),
      );
    },
  );
});
