import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { prettyFactory } from 'pino-pretty';
import { escapeUnsafe, spellOutUnsafe } from './escape-unsafe.js';

const UNSAFE = [
  '\u007f',
  '\u0085',
  '\u009b',
  '\u061c',
  '\u200e',
  '\u200f',
  '\u2028',
  '\u2029',
  '\u202a',
  '\u202b',
  '\u202c',
  '\u202d',
  '\u202e',
  '\u2066',
  '\u2067',
  '\u2068',
  '\u2069',
];
const RAW = new RegExp(`[${UNSAFE.join('')}]`);

const anyText = fc.string({
  unit: fc.oneof(fc.constantFrom(...UNSAFE, '\\', '"', '\u001b', 'u202e'), fc.string()),
});

describe('escapeUnsafe', () => {
  it.each(UNSAFE)('escapes %j', (character) => {
    const escaped = escapeUnsafe(JSON.stringify({ taskId: `a${character}b` }));
    expect(escaped).toBe(`{"taskId":"a\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}b"}`);
  });

  it('leaves no unsafe character, and does not change the value', () => {
    fc.assert(
      fc.property(anyText, (taskId) => {
        const escaped = escapeUnsafe(JSON.stringify({ taskId }));
        expect(escaped).not.toMatch(RAW);
        expect(JSON.parse(escaped)).toEqual({ taskId });
      }),
    );
  });
});

describe('spellOutUnsafe', () => {
  const pretty = prettyFactory({ colorize: false, singleLine: true, ignore: 'event' });

  it('makes the characters visible in every field, also where pino-pretty prints values as they are', () => {
    const text = 'a\u202e\u001b[31m\u2028\\u202e';
    const line = spellOutUnsafe(
      JSON.stringify({ msg: text, error: text, stack: text, taskId: text, caller: text }),
    );
    const shown = pretty(line);
    expect(shown).not.toMatch(RAW);
    expect(shown).not.toContain('\u001b');
    expect(shown).toContain('a\\u202e\\u001b[31m\\u2028');
  });

  it('leaves neither an unsafe character nor a control character but line breaks and tabs', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { msg } = JSON.parse(spellOutUnsafe(JSON.stringify({ msg: text }))) as { msg: string };
        expect(msg).not.toMatch(RAW);
        // JSON has short escapes for these.
        expect(msg.replaceAll(/[\b\f\n\r\t]/g, '')).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});
