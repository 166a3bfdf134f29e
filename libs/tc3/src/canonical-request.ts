import { hash } from 'node:crypto';

import type { SignableRequest } from './signable-request.js';

/** Step 1: the canonical request, which client and server hash. */
export function canonicalRequest({ head, payload }: Pick<SignableRequest, 'head' | 'payload'>): string {
  return `${head}${hash('sha256', payload, 'hex')}`;
}
