import { hash } from 'node:crypto';
import type { CallerKey } from '../config/callers-file.js';
import type { CallerIdentity } from '../http/caller-identity.js';
import { constantTimeIndexOf, DIGEST_WORDS } from './constant-time-index-of.js';

/** The valid keys, stored as SHA-256 only. */
export class ApiKeyStore {
  readonly #callers: readonly CallerIdentity[];
  readonly #digests: Int32Array;

  /** @param keys entries with distinct digests */
  constructor(keys: readonly CallerKey[]) {
    this.#callers = keys.map(({ name, sdkAppIds }) => ({ name, sdkAppIds }));
    this.#digests = toInt32Words(Buffer.from(keys.map(({ keySha256 }) => keySha256).join(''), 'hex'));
  }

  /** Returns the caller with this key, in a time that does not depend on the key. */
  find(key: string): CallerIdentity | undefined {
    return this.#callers[constantTimeIndexOf(this.#digests, toInt32Words(hash('sha256', key, 'buffer')))];
  }

  get names(): readonly string[] {
    return [...new Set(this.#callers.map(({ name }) => name))];
  }
}

function toInt32Words(bytes: Buffer): Int32Array {
  // A copy, because a small Buffer may start at any offset of a pool, and words must start at a multiple of four.
  return new Int32Array(new Uint8Array(bytes).buffer, 0, (bytes.length / 32) * DIGEST_WORDS);
}
