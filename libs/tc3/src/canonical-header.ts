// Node.js rejects line breaks in a header and sends non-ASCII as Latin-1, but the hash is over UTF-8.
const PRINTABLE = /^ *[!-~][ -~]*$/;

/** Returns one line of the canonical headers, including its line feed. */
export function canonicalHeader(name: string, value: string): string {
  if (!PRINTABLE.test(value)) {
    throw new TypeError(`${name} must be printable ASCII on one line, and not blank`);
  }
  return `${name}:${value.trim().toLowerCase()}\n`;
}
