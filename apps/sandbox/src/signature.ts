import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Authorization } from './authorization-header.js';
import type { CloudRequest } from './cloud-request.js';

/**
 * Returns whether the request carries the signature that `secretKey` produces for it.
 * Implemented only from Tencent's description of signature v3, to be independent of the gateway's signer: https://www.tencentcloud.com/document/product/267/37447
 */
export function isSignedBy(secretKey: string, request: CloudRequest, authorization: Authorization): boolean {
  const { date, service, signedHeaders, signature } = authorization;

  const [path = '', query = ''] = request.target.split('?', 2);
  const headers = signedHeaders.map((name) => {
    const value = request.headers[name] ?? '';
    return `${name}:${value.trim().toLowerCase()}\n`;
  });
  const canonical = [
    request.method,
    path,
    query,
    headers.join(''),
    signedHeaders.join(';'),
    sha256(request.body),
  ].join('\n');

  const toSign = [
    'TC3-HMAC-SHA256',
    request.headers['x-tc-timestamp'],
    `${date}/${service}/tc3_request`,
    sha256(canonical),
  ].join('\n');

  let key: string | Buffer = `TC3${secretKey}`;
  for (const part of [date, service, 'tc3_request', toSign]) {
    key = createHmac('sha256', key).update(part).digest();
  }
  return timingSafeEqual(Buffer.from(key), Buffer.from(signature, 'hex'));
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
