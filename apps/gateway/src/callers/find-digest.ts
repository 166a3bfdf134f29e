/** 32-bit words of a SHA-256. */
export const DIGEST_WORDS = 8;

/**
 * The place of a digest in a list of digests, or -1.
 *
 * Every word of every entry is read and nothing branches on what is read, so that the time taken tells nothing of
 * how much of which entry was right. The entries must differ from each other.
 *
 * The words are signed because half of all unsigned ones are too large for the engine's small integers: it would
 * box them, and the time would show that.
 *
 * @param digests one after the other
 */
export function findDigest(digests: Int32Array, wanted: Int32Array): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = wanted;
  let found = 0;
  for (let at = 0, place = 1; at < digests.length; at += DIGEST_WORDS, place += 1) {
    const difference =
      (digests[at]! ^ a) |
      (digests[at + 1]! ^ b) |
      (digests[at + 2]! ^ c) |
      (digests[at + 3]! ^ d) |
      (digests[at + 4]! ^ e) |
      (digests[at + 5]! ^ f) |
      (digests[at + 6]! ^ g) |
      (digests[at + 7]! ^ h);
    // All ones where nothing differs, else zero: a number other than 0, or its negative, has the sign bit.
    const same = ~((difference | -difference) >> 31);
    found |= same & place;
  }
  return found - 1;
}
