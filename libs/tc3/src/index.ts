/**
 * The request signature of Tencent Cloud, TC3-HMAC-SHA256. It reads no clock, no network and no environment.
 *
 * @see https://www.tencentcloud.com/document/product/267/37447
 */
export { canonicalHead } from './canonical-head.js';
export type { CanonicalHead } from './canonical-head.js';
export type { Credentials } from './credentials.js';
export { isSecret, isSecretId } from './credentials.js';
export { signRequest } from './sign-request.js';
export type { SignableRequest } from './signable-request.js';
export { SigningKeyCache } from './signing-key-cache.js';
