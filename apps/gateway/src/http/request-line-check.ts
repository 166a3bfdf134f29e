const SPACE = 0x20;
const LINE_FEED = 0x0a;

/**
 * Finds request lines with several spaces in a row. The parser of Node.js reads them as one, so nothing behind it can see
 * them. RFC 9112 section 3 allows that, and warns that parsers which divide such a line differently enable smuggling.
 */
export class RequestLineCheck {
  #isInLine = false;
  /** Empty lines may come before a request line. */
  #hasText = false;
  #followsSpace = false;

  /** The next byte is the first one of a request. */
  start(): void {
    this.#isInLine = true;
    this.#hasText = false;
    this.#followsSpace = false;
  }

  /** Returns whether the request line has two spaces in a row in these bytes, or across this part and the last one. */
  fails(bytes: Buffer): boolean {
    for (let index = 0; this.#isInLine && index < bytes.length; index += 1) {
      const byte = bytes[index]!;
      if (byte === SPACE && this.#followsSpace) return true;
      this.#followsSpace = byte === SPACE;
      this.#hasText ||= byte > SPACE;
      if (byte === LINE_FEED && this.#hasText) this.#isInLine = false;
    }
    return false;
  }
}
