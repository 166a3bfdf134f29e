import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseAuthorization } from './authorization-header.js';
import type { CloudRequest } from './cloud-request.js';
import { isSignedBy } from './signature.js';

const EXAMPLE_ID = 'AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE';
const EXAMPLE_KEY = 'Gu5t9xGARNpq86cd98joQYCN3EXAMPLE';
const STARS = '*'.repeat(32);
const CVM = {
  service: 'cvm',
  host: 'cvm.tencentcloudapi.com',
  contentType: 'application/json; charset=utf-8',
};
const TRTC = {
  service: 'trtc',
  host: 'trtc.intl.tencentcloudapi.com',
  contentType: 'application/json',
  secretId: EXAMPLE_ID,
  secretKey: EXAMPLE_KEY,
  signedHeaders: 'content-type;host',
  body: '{"SdkAppId":1234567890,"TaskId":"1234"}',
};
const FILTERED = String.raw`{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`;

const vectors = [
  {
    name: 'published, content-type and host signed',
    ...CVM,
    secretId: EXAMPLE_ID,
    secretKey: EXAMPLE_KEY,
    signedHeaders: 'content-type;host',
    timestamp: 1551113065,
    date: '2019-02-25',
    body: FILTERED,
    signature: '72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168',
  },
  {
    name: 'published, action signed as well',
    ...CVM,
    secretId: `AKID${STARS}`,
    secretKey: STARS,
    signedHeaders: 'content-type;host;x-tc-action',
    timestamp: 1551113065,
    date: '2019-02-25',
    body: FILTERED,
    signature: '10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f',
  },
  {
    name: 'published, another body',
    ...CVM,
    secretId: `AKID${STARS}`,
    secretKey: STARS,
    signedHeaders: 'content-type;host',
    timestamp: 1551113065,
    date: '2019-02-25',
    body: '{"Limit": 1, "Filters": [{"Values": ["unnamed"], "Name": "instance-name"}]}',
    signature: 'a7b8551448762bd123d6f79e81815e31a92013640a6cef36a08ad4b292a4d2f2',
  },
  {
    name: 'this service, as the official SDK signs',
    ...TRTC,
    timestamp: 1551113065,
    date: '2019-02-25',
    signature: 'f23d7a8ebba96644e0e2b092041a2923979465057ec3515673ee497df3dc32cb',
  },
  {
    name: 'the last second of a UTC day',
    ...TRTC,
    timestamp: 1735689599,
    date: '2024-12-31',
    signature: '3fc842a3661cf2138ea3f7eecbcec61d7429b2e49145227eb5d231e39805efa8',
  },
  {
    name: 'the first second of a UTC day',
    ...TRTC,
    timestamp: 1735689600,
    date: '2025-01-01',
    signature: 'c9815e5be5bd0944dce05df543abbec1ca191782b2ce0bb76f35442aa4c73d14',
  },
];
type Vector = (typeof vectors)[number];

function requestOf(vector: Vector): CloudRequest {
  return {
    method: 'POST',
    target: '/',
    headers: {
      'content-type': vector.contentType,
      host: vector.host,
      'x-tc-action': 'DescribeInstances',
      'x-tc-timestamp': String(vector.timestamp),
    },
    body: Buffer.from(vector.body),
  };
}

function authorizationOf({ secretId, date, service, signedHeaders, signature }: Vector): string {
  return `TC3-HMAC-SHA256 Credential=${secretId}/${date}/${service}/tc3_request, SignedHeaders=${signedHeaders}, Signature=${signature}`;
}

function accepts(vector: Vector, changes: Partial<CloudRequest> = {}, key = vector.secretKey): boolean {
  const request = { ...requestOf(vector), ...changes };
  return isSignedBy(key, request, parseAuthorization(authorizationOf(vector)));
}

const anyVector = fc.constantFrom(...vectors);
const anyPlace = fc.nat(10_000);

/** Replaces one character; the result also differs in lower case. */
function tampered(text: string, place: number): string {
  const i = place % text.length;
  return `${text.slice(0, i)}${text[i] === 'x' ? 'y' : 'x'}${text.slice(i + 1)}`;
}

describe('isSignedBy', () => {
  it.each(vectors)('accepts the vector "$name"', (vector) => {
    expect(accepts(vector)).toBe(true);
  });

  it.each(vectors)('rejects the vector "$name" with another key', (vector) => {
    expect(accepts(vector, {}, `${vector.secretKey}x`)).toBe(false);
  });

  it('rejects a body with any bit flipped', () => {
    fc.assert(
      fc.property(anyVector, anyPlace, fc.integer({ min: 0, max: 7 }), (vector, place, bit) => {
        const body = Buffer.from(vector.body);
        const i = place % body.length;
        body.writeUInt8(body.readUInt8(i) ^ (1 << bit), i);
        expect(accepts(vector, { body })).toBe(false);
      }),
    );
  });

  it('rejects a signed header with any character changed', () => {
    fc.assert(
      fc.property(anyVector, anyPlace, anyPlace, (vector, which, place) => {
        const names = [...vector.signedHeaders.split(';'), 'x-tc-timestamp'];
        const name = names[which % names.length] ?? '';
        const { headers } = requestOf(vector);
        const value = tampered(headers[name] ?? '', place);
        expect(accepts(vector, { headers: { ...headers, [name]: value } })).toBe(false);
      }),
    );
  });

  it('rejects a signature with any digit changed', () => {
    fc.assert(
      fc.property(anyVector, fc.nat(63), fc.integer({ min: 1, max: 15 }), (vector, i, shift) => {
        const digit = ((Number.parseInt(vector.signature.charAt(i), 16) + shift) % 16).toString(16);
        const signature = vector.signature.slice(0, i) + digit + vector.signature.slice(i + 1);
        expect(accepts({ ...vector, signature })).toBe(false);
      }),
    );
  });

  it.each([
    ['method', { method: 'GET' }],
    ['path', { target: '/stop' }],
    ['query', { target: '/?a=1' }],
  ])('rejects another %s', (_name, change) => {
    expect(accepts(vectors[3] as Vector, change)).toBe(false);
  });

  it('trims signed header values and converts them to lower case, as documented', () => {
    const vector = vectors[1] as Vector;
    const { headers } = requestOf(vector);
    expect(accepts(vector, { headers: { ...headers, 'x-tc-action': '  DESCRIBEINSTANCES ' } })).toBe(true);
  });
});
