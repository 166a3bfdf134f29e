/** Control characters beyond ASCII, line and paragraph separators, and marks that change the direction of text. */
const UNSAFE = '[\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]';

const UNSAFE_RAW = new RegExp(UNSAFE, 'g');

/** These, or in JSON an escaped backslash, or an escaped control character of ASCII. */
const UNSAFE_OR_ESCAPED = new RegExp(`\\\\\\\\|\\\\u00[01][\\da-f]|${UNSAFE}`, 'g');

/** Escapes the characters of a JSON line that could change how a terminal shows it. The value stays the same. */
export function escapeUnsafe(json: string): string {
  return json.replace(UNSAFE_RAW, toEscape);
}

/** Makes these characters, and all control characters, visible text such as `\u202e` in the values of a JSON line. */
export function spellOutUnsafe(json: string): string {
  return json.replace(UNSAFE_OR_ESCAPED, (text) => {
    if (text === '\\\\') return text;
    return `\\${text.length === 1 ? toEscape(text) : text}`;
  });
}

function toEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
