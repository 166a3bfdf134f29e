import { createHmac } from 'node:crypto';

import { canonicalRequest } from './canonical-request.js';
import { ALGORITHM, SIGNED_HEADERS } from './constants.js';
import { type Credentials, isSecretId } from './credentials.js';
import type { SignableRequest } from './signable-request.js';
import { SigningKeyCache } from './signing-key-cache.js';
import { stringToSign } from './string-to-sign.js';

/**
 * Signs a POST to `/` with TC3-HMAC-SHA256 and returns the value of its Authorization header.
 *
 * @example
 * const head = canonicalHead('trtc.intl.tencentcloudapi.com', 'application/json');
 * const signingKeys = new SigningKeyCache();
 * signRequest({ head, payload: body, service: 'trtc' }, { secretId, secretKey }, 1551113065, signingKeys);
 * // TC3-HMAC-SHA256 Credential=AKID…/2019-02-25/trtc/tc3_request, SignedHeaders=content-type;host, Signature=f23d…
 *
 * @param timestamp whole UNIX seconds, as sent in X-TC-Timestamp. The cloud accepts a deviation of five minutes.
 * @param signingKeys keeps signing keys between calls. Without it, each call derives its own.
 * @throws TypeError if the service or a credential is malformed. The message never contains the value.
 * @throws RangeError if the timestamp is not whole UNIX seconds
 * @see https://www.tencentcloud.com/document/product/267/37447
 */
export function signRequest(
  request: SignableRequest,
  credentials: Credentials,
  timestamp: number,
  signingKeys: SigningKeyCache = new SigningKeyCache(),
): string {
  const { secretId } = credentials;
  if (!isSecretId(secretId)) {
    throw new TypeError('secretId must be visible ASCII without commas, slashes and spaces, and not empty');
  }
  const { scope, key } = signingKeys.get(credentials, request.service, timestamp);
  const message = stringToSign(timestamp, scope, canonicalRequest(request));
  const signature = createHmac('sha256', key).update(message).digest('hex');
  return `${ALGORITHM} Credential=${secretId}/${scope}, SignedHeaders=${SIGNED_HEADERS}, Signature=${signature}`;
}
