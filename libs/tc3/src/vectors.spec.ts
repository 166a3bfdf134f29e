import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';

import { canonicalHead } from './canonical-head.js';
import { canonicalRequest } from './canonical-request.js';
import type { Credentials } from './credentials.js';
import { signRequest } from './sign-request.js';
import { SigningKeyCache } from './signing-key-cache.js';

interface Vector {
  title: string;
  source: string;
  credentials: Credentials;
  timestamp: number;
  request: { host: string; contentType: string; service: string; payload: string };
  payloadHash: string;
  canonicalRequestHash: string;
  signingKey: string;
  signature: string;
  authorization: string;
}

const file = new URL('../../../test/vectors/tc3.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

describe.each(vectors)('$title ($source)', (vector) => {
  const { credentials, timestamp } = vector;
  const { host, contentType, service, payload } = vector.request;
  const request = { head: canonicalHead(host, contentType), payload, service };

  it('has the expected hashes of the payload and of the canonical request', () => {
    const canonical = canonicalRequest(request);
    expect(canonical.split('\n').at(-1)).toBe(vector.payloadHash);
    expect(createHash('sha256').update(canonical).digest('hex')).toBe(vector.canonicalRequestHash);
  });

  it('has the expected signing key', () => {
    const { key } = new SigningKeyCache().get(credentials, service, timestamp);
    expect(key.export().toString('hex')).toBe(vector.signingKey);
  });

  it('has the expected signature and header, for the payload as text and as bytes', () => {
    const header = signRequest(request, credentials, timestamp);
    expect(header.split('Signature=').at(-1)).toBe(vector.signature);
    expect(header).toBe(vector.authorization);
    const bytes = new TextEncoder().encode(payload);
    expect(signRequest({ ...request, payload: bytes }, credentials, timestamp)).toBe(header);
  });
});
