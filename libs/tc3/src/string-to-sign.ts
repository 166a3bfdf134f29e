import { hash } from 'node:crypto';

import { ALGORITHM } from './constants.js';

/** Step 2: binds the canonical request to its timestamp and its credential scope. */
export function stringToSign(timestamp: number, scope: string, canonicalRequest: string): string {
  return `${ALGORITHM}\n${timestamp}\n${scope}\n${hash('sha256', canonicalRequest, 'hex')}`;
}
