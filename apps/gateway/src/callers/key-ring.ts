import { hash } from 'node:crypto';
import type { Caller } from './caller.js';
import { DIGEST_WORDS, findDigest } from './find-digest.js';

/** A caller and the SHA-256 of a key of its own. */
export interface CallerEntry extends Caller {
  /** 64 hexadecimal digits. */
  readonly keySha256: string;
}

/** The keys that open the gateway, of which only their SHA-256 is known. */
export class KeyRing {
  readonly #callers: readonly Caller[];
  readonly #digests: Int32Array;

  /** @param entries whose digests all differ */
  constructor(entries: readonly CallerEntry[]) {
    this.#callers = entries.map(({ name, sdkAppIds }) => ({ name, sdkAppIds }));
    this.#digests = words(Buffer.from(entries.map(({ keySha256 }) => keySha256).join(''), 'hex'));
  }

  /** The caller whose key this is. How long that takes does not depend on how right the key is. */
  find(key: string): Caller | undefined {
    return this.#callers[findDigest(this.#digests, words(hash('sha256', key, 'buffer')))];
  }

  /** The callers' names, each once. */
  get names(): readonly string[] {
    return [...new Set(this.#callers.map(({ name }) => name))];
  }
}

function words(bytes: Buffer): Int32Array {
  // A copy, because a small Buffer may begin anywhere in a pool, and words must begin at a multiple of four.
  return new Int32Array(new Uint8Array(bytes).buffer, 0, (bytes.length / 32) * DIGEST_WORDS);
}
