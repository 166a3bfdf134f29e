import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

import { KEY_PREFIX, TERMINATOR } from './constants.js';
import { isSecret } from './credentials.js';

/**
 * Step 3: the key that signs for one service on one UTC date.
 *
 * A KeyObject shows its bytes only on export, and OpenSSL loads it once instead of once per signature.
 */
export function signingKey(secretKey: string, date: string, service: string): KeyObject {
  if (!isSecret(secretKey)) {
    throw new TypeError('secretKey must be visible ASCII without spaces, and not empty');
  }
  const dateKey = hmacSha256(`${KEY_PREFIX}${secretKey}`, date);
  const serviceKey = hmacSha256(dateKey, service);
  return createSecretKey(hmacSha256(serviceKey, TERMINATOR));
}

function hmacSha256(key: string | Buffer, message: string): Buffer {
  return createHmac('sha256', key).update(message).digest();
}
