/**
 * Tencent Cloud's request signature, TC3-HMAC-SHA256, and nothing else: no clock, no network, no environment.
 *
 * @see https://www.tencentcloud.com/document/product/267/37447
 */
export { authorization } from './authorization.js';
export type { Credentials } from './credentials.js';
export type { RequestToSign } from './request-to-sign.js';
export { SigningKeys } from './signing-keys.js';
