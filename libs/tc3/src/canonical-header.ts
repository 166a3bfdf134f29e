// Node refuses line breaks in a header and sends what is not ASCII as Latin-1, while the hash reads UTF-8.
const PRINTABLE = /^ *[!-~][ -~]*$/;

/** One header as the signature sees it, its line feed included. */
export function canonicalHeader(name: string, value: string): string {
  if (!PRINTABLE.test(value)) {
    throw new TypeError(`${name} must be printable ASCII on one line, and not blank`);
  }
  return `${name}:${value.trim().toLowerCase()}\n`;
}
