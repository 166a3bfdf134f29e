import { createHmac } from 'node:crypto';

import { canonicalRequest } from './canonical-request.js';
import { ALGORITHM } from './constants.js';
import type { Credentials } from './credentials.js';
import type { RequestToSign } from './request-to-sign.js';
import { signedHeaders } from './signed-headers.js';
import { SigningKeys } from './signing-keys.js';
import { stringToSign } from './string-to-sign.js';

// Visible ASCII but for the two marks that end it in the header.
const SECRET_ID = /^[!-+\-.0-~]+$/;

/**
 * The value of the Authorization header that signs a POST to `/` with TC3-HMAC-SHA256.
 *
 * @example
 * const keys = new SigningKeys();
 * authorization(
 *   { host: 'trtc.intl.tencentcloudapi.com', contentType: 'application/json', payload: body, service: 'trtc' },
 *   { secretId, secretKey },
 *   1551113065,
 *   keys,
 * );
 * // TC3-HMAC-SHA256 Credential=AKID…/2019-02-25/trtc/tc3_request, SignedHeaders=content-type;host, Signature=f23d…
 *
 * @param at whole UNIX seconds: the X-TC-Timestamp that is sent. The cloud tolerates five minutes.
 * @param keys remembers signing keys from call to call; without it each call derives its own.
 * @throws TypeError if a header value, the service or a credential is malformed; no message carries a value
 * @throws RangeError if the time is not whole UNIX seconds
 * @see https://www.tencentcloud.com/document/product/267/37447
 */
export function authorization(
  request: RequestToSign,
  credentials: Credentials,
  at: number,
  keys: SigningKeys = new SigningKeys(),
): string {
  const { secretId } = credentials;
  if (!SECRET_ID.test(secretId)) {
    throw new TypeError('secretId must be visible ASCII without comma, slash or blanks, and not empty');
  }
  const { scope, key } = keys.find(credentials, request.service, at);
  const toSign = stringToSign(at, scope, canonicalRequest(request));
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  return `${ALGORITHM} Credential=${secretId}/${scope}, SignedHeaders=${signedHeaders(request.action)}, Signature=${signature}`;
}
