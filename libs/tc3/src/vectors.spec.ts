import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { describe, expect, it } from '@jest/globals';

import { authorization } from './authorization.js';
import { canonicalRequest } from './canonical-request.js';
import type { Credentials } from './credentials.js';
import type { RequestToSign } from './request-to-sign.js';
import { SigningKeys } from './signing-keys.js';

interface Vector {
  title: string;
  source: string;
  credentials: Credentials;
  at: number;
  request: RequestToSign & { payload: string };
  payloadHash: string;
  canonicalRequestHash: string;
  signingKey: string;
  signature: string;
  authorization: string;
}

const file = new URL('../../../test/vectors/tc3.json', import.meta.url);
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

describe.each(vectors)('$title ($source)', (vector) => {
  const { credentials, at, request } = vector;

  it('hashes the payload', () => {
    expect(canonicalRequest(request).split('\n').at(-1)).toBe(vector.payloadHash);
  });

  it('spells the canonical request', () => {
    expect(createHash('sha256').update(canonicalRequest(request)).digest('hex')).toBe(
      vector.canonicalRequestHash,
    );
  });

  it('derives the signing key', () => {
    const { key } = new SigningKeys().find(credentials, request.service, at);
    expect(key.export().toString('hex')).toBe(vector.signingKey);
  });

  it('signs, and writes the header', () => {
    const header = authorization(request, credentials, at);
    expect(header.split('Signature=').at(-1)).toBe(vector.signature);
    expect(header).toBe(vector.authorization);
  });

  it('signs bytes as it signs the text they encode', () => {
    const payload = new TextEncoder().encode(request.payload);
    expect(authorization({ ...request, payload }, credentials, at)).toBe(vector.authorization);
  });
});
