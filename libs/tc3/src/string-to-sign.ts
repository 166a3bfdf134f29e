import { hash } from 'node:crypto';

import { ALGORITHM } from './constants.js';

/** Step 2: the canonical request, bound to its second and to its credential scope. */
export function stringToSign(at: number, scope: string, canonicalRequest: string): string {
  return `${ALGORITHM}\n${at}\n${scope}\n${hash('sha256', canonicalRequest, 'hex')}`;
}
