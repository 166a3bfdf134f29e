import { hash } from 'node:crypto';
import type { CallerKey } from '../config/callers-file.js';
import type { CallerIdentity } from '../http/caller-identity.js';
import { constantTimeIndexOf, DIGEST_WORDS } from './constant-time-index-of.js';

/** The valid keys, of which only the SHA-256 is known. */
export class ApiKeyStore {
  readonly #callers: readonly CallerIdentity[];
  readonly #digests: Int32Array;

  /** @param keys whose digests all differ */
  constructor(keys: readonly CallerKey[]) {
    this.#callers = keys.map(({ name, sdkAppIds }) => ({ name, sdkAppIds }));
    this.#digests = toInt32Words(Buffer.from(keys.map(({ keySha256 }) => keySha256).join(''), 'hex'));
  }

  /** The caller with this key. The time taken does not depend on how much of the key is right. */
  find(key: string): CallerIdentity | undefined {
    return this.#callers[constantTimeIndexOf(this.#digests, toInt32Words(hash('sha256', key, 'buffer')))];
  }

  /** The callers' names, each once. */
  get names(): readonly string[] {
    return [...new Set(this.#callers.map(({ name }) => name))];
  }
}

function toInt32Words(bytes: Buffer): Int32Array {
  // A copy: a small Buffer may start anywhere in a pool, and words must start at a multiple of four.
  return new Int32Array(new Uint8Array(bytes).buffer, 0, (bytes.length / 32) * DIGEST_WORDS);
}
