import type { KeyObject } from 'node:crypto';

import { credentialScope } from './credential-scope.js';
import type { Credentials } from './credentials.js';
import { signingKey } from './signing-key.js';
import { utcDate } from './utc-date.js';
import { utcDay } from './utc-day.js';

// Two credentials during a rotation, on both sides of midnight, with room to spare.
const CAPACITY = 8;

interface ScopedKey {
  readonly scope: string;
  readonly key: KeyObject;
}

interface Entry {
  readonly secretKey: string;
  readonly service: string;
  readonly day: number;
  readonly scopedKey: ScopedKey;
}

/**
 * Remembers signing keys, which stay the same for a secret key, a service and a UTC day.
 *
 * One instance belongs to one client and is passed to {@link authorization}. It holds the last few keys only, so
 * that rotated credentials do not pile up, and shows none of them to `console.log`, `util.inspect` or
 * `JSON.stringify`.
 */
export class SigningKeys {
  readonly #entries: Entry[] = [];

  /**
   * The signing key for a moment, with its credential scope.
   *
   * @param at whole UNIX seconds
   * @throws TypeError if the secret key or the service is malformed; no message carries a value
   * @throws RangeError if the time is not whole UNIX seconds
   */
  find({ secretKey }: Credentials, service: string, at: number): ScopedKey {
    const day = utcDay(at);
    // By value, not by object: whoever rotates the key inside one object must not get the old one's signature.
    for (const entry of this.#entries) {
      if (entry.day === day && entry.service === service && entry.secretKey === secretKey)
        return entry.scopedKey;
    }
    return this.#derive(secretKey, service, day);
  }

  #derive(secretKey: string, service: string, day: number): ScopedKey {
    const date = utcDate(day);
    const scopedKey = {
      scope: credentialScope(date, service),
      key: signingKey(secretKey, date, service),
    };
    this.#entries.push({ secretKey, service, day, scopedKey });
    // First in, first out: dropping a key still in use costs four hashes once; keeping an order costs every call.
    if (this.#entries.length > CAPACITY) this.#entries.shift();
    return scopedKey;
  }
}
