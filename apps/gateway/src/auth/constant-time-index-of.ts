/** The number of 32-bit words of a SHA-256. */
export const DIGEST_WORDS = 8;

/**
 * Returns the index of a digest in a list of distinct digests, or -1.
 *
 * The time does not depend on the digests: every word of every entry is read, and no branch depends on a word. The words
 * are signed because V8 would box half of all unsigned ones, which are too large for its small integers, and that would
 * be visible in the time.
 *
 * @param digests the concatenated digests
 */
export function constantTimeIndexOf(digests: Int32Array, digest: Int32Array): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = digest;
  let foundPosition = 0;
  for (let offset = 0, position = 1; offset < digests.length; offset += DIGEST_WORDS, position += 1) {
    const difference =
      (digests[offset]! ^ a) |
      (digests[offset + 1]! ^ b) |
      (digests[offset + 2]! ^ c) |
      (digests[offset + 3]! ^ d) |
      (digests[offset + 4]! ^ e) |
      (digests[offset + 5]! ^ f) |
      (digests[offset + 6]! ^ g) |
      (digests[offset + 7]! ^ h);
    // -1 if nothing differs, otherwise 0: of a number other than 0 and its negative, one has the sign bit.
    const isSame = ~((difference | -difference) >> 31);
    foundPosition |= isSame & position;
  }
  return foundPosition - 1;
}
