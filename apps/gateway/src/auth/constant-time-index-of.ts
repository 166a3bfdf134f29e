/** 32-bit words of a SHA-256. */
export const DIGEST_WORDS = 8;

/**
 * The index of a digest in a list of digests, or -1.
 *
 * Every word of every entry is read and nothing branches on what is read, so the time taken does not depend on how
 * much of which entry was right. The entries must differ from each other.
 *
 * The words are signed because half of all unsigned ones are too large for the engine's small integers: it would
 * box them, and the time would show that.
 *
 * @param digests one after the other
 */
export function constantTimeIndexOf(digests: Int32Array, wanted: Int32Array): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = wanted;
  let found = 0;
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
    // All ones where nothing differs, else zero: a number other than 0, or its negative, has the sign bit.
    const isSame = ~((difference | -difference) >> 31);
    found |= isSame & position;
  }
  return found - 1;
}
