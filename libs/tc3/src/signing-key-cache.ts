import type { KeyObject } from 'node:crypto';

import { credentialScope } from './credential-scope.js';
import type { Credentials } from './credentials.js';
import { signingKey } from './signing-key.js';
import { utcDate, utcDay } from './utc-date.js';

// Two credentials during a rotation, on both sides of midnight, and some reserve.
const MAX_ENTRIES = 8;

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
 * Caches signing keys, which are the same for one secret key, one service and one UTC day.
 *
 * Each client owns one instance and passes it to {@link signRequest}. It keeps the last eight keys, and shows none of
 * them to `console.log`, `util.inspect` or `JSON.stringify`.
 */
export class SigningKeyCache {
  readonly #entries: Entry[] = [];

  /**
   * Returns the signing key for a timestamp, with its credential scope.
   *
   * @param timestamp whole UNIX seconds
   * @throws TypeError if the secret key or the service is malformed. The message never contains the value.
   * @throws RangeError if the timestamp is not whole UNIX seconds
   */
  get({ secretKey }: Credentials, service: string, timestamp: number): ScopedKey {
    const day = utcDay(timestamp);
    // Compares values, not objects: a secret key that is replaced inside one object must not get the old signing key.
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
    // First in, first out: evicting a key in use costs four hashes once, but tracking the last use costs every call.
    if (this.#entries.length > MAX_ENTRIES) this.#entries.shift();
    return scopedKey;
  }
}
