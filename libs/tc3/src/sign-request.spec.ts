import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import sdk from 'tencentcloud-sdk-nodejs-common/tencentcloud/common/sign.js';

import { canonicalHead } from './canonical-head.js';
import type { Credentials } from './credentials.js';
import { signRequest } from './sign-request.js';
import { SigningKeyCache } from './signing-key-cache.js';

const { default: Sign } = sdk;

const DAY = 86_400;
const toTimestamp = (date: string) => Date.parse(date) / 1000;

// Days around which a calendar rule decides. Random days cover the rest.
const calendarEdges = ['2000-02-29', '2000-03-01', '2024-02-29', '2024-03-01', '2025-03-01', '2100-03-01'];
const yearEnds = fc.integer({ min: 1971, max: 9999 }).map((year) => toTimestamp(`${year}-01-01`));
const midnights = fc.oneof(
  fc.constantFrom(...calendarEdges).map(toTimestamp),
  yearEnds,
  fc.integer({ min: 1, max: 47_500 }).map((day) => day * DAY),
);
const aroundMidnight = fc
  .tuple(midnights, fc.integer({ min: -2, max: 2 }))
  .map(([midnight, offset]) => midnight + offset);
const timestamps = fc.oneof(
  { weight: 4, arbitrary: aroundMidnight },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 32 }) },
);

const validCredentials = fc.record({
  secretId: fc.stringMatching(/^(AKID|IKID)[0-9A-Za-z_-]{8,60}$/),
  secretKey: fc.oneof(fc.stringMatching(/^[0-9A-Za-z]{32}$/), fc.stringMatching(/^[!-~]{1,100}$/)),
});
// Lower case, because the SDK takes the host from a URL, which normalizes it.
const hosts = fc.stringMatching(/^[a-z][a-z0-9]{0,20}(-[a-z0-9]{1,9})?(\.[a-z]{2,12}){1,3}$/);
// Lower case and trimmed, because the SDK, unlike the specification, signs other values unchanged.
const contentTypes = fc.oneof(
  fc.constantFrom('application/json', 'application/json; charset=utf-8'),
  fc.stringMatching(/^[!-@[-~]([ -@[-~]{0,40}[!-@[-~])?$/),
);
const payloads = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }), // lone surrogates
  fc.json(),
  fc.uint8Array({ maxLength: 300 }),
);
const requests = fc.record({
  host: hosts,
  contentType: contentTypes,
  payload: payloads,
  service: fc.stringMatching(/^[a-z0-9_-]{1,12}$/),
});

/** The request as a caller of this module describes it, before its head is computed. */
interface Parts {
  host: string;
  contentType: string;
  payload: string | Uint8Array;
  service: string;
}

const sign = (
  { host, contentType, ...rest }: Parts,
  credentials: Credentials,
  timestamp: number,
  cache?: SigningKeyCache,
) => signRequest({ head: canonicalHead(host, contentType), ...rest }, credentials, timestamp, cache);

describe('signRequest and the official SDK', () => {
  it('return the same header, byte for byte', () => {
    const cache = new SigningKeyCache();
    fc.assert(
      fc.property(requests, validCredentials, timestamps, (request, credentials, timestamp) => {
        const expected = Sign.sign3({
          ...credentials,
          method: 'POST',
          url: `https://${request.host}/`,
          payload: Buffer.from(request.payload as string),
          timestamp,
          service: request.service,
          multipart: false,
          boundary: '',
          headers: { 'Content-Type': request.contentType },
        });
        expect(sign(request, credentials, timestamp, cache)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });
});

const signature = (request: Parts, credentials: Credentials, timestamp: number) =>
  sign(request, credentials, timestamp).split('Signature=').at(-1);

/** Replaces one character with another one that is valid in every field. */
const altered = (text: string, position: number) => {
  const index = position % text.length;
  const replacement = text[index] === '7' ? '8' : '7';
  return text.slice(0, index) + replacement + text.slice(index + 1);
};

describe('signRequest', () => {
  const payload = Buffer.from('{"SdkAppId":1234567890,"TaskId":"1234"}');
  const request = {
    host: 'trtc.intl.tencentcloudapi.com',
    contentType: 'application/json',
    payload,
    service: 'trtc',
  };
  const credentials = { secretId: 'AKIDEXAMPLE', secretKey: 'Gu5t9xGARNpq86cd98joQYCN3EXAMPLE' };
  const timestamp = 1_735_689_600;
  const signed = signature(request, credentials, timestamp);

  it.each(['host', 'contentType', 'service'] as const)('signs each character of %s', (field) => {
    fc.assert(
      fc.property(fc.nat(), (position) => {
        const other = { ...request, [field]: altered(request[field], position) };
        expect(signature(other, credentials, timestamp)).not.toBe(signed);
      }),
    );
  });

  it('returns another signature for each other secret key', () => {
    fc.assert(
      fc.property(fc.nat(), (position) => {
        const other = { ...credentials, secretKey: altered(credentials.secretKey, position) };
        expect(signature(request, other, timestamp)).not.toBe(signed);
      }),
    );
  });

  it('signs each bit of the payload', () => {
    fc.assert(
      fc.property(fc.nat({ max: payload.length * 8 - 1 }), (bit) => {
        const other = Uint8Array.from(payload, (byte, index) =>
          index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte,
        );
        expect(signature({ ...request, payload: other }, credentials, timestamp)).not.toBe(signed);
      }),
    );
  });

  it('signs the timestamp', () => {
    fc.assert(
      fc.property(timestamps, (other) => {
        fc.pre(other !== timestamp);
        expect(signature(request, credentials, other)).not.toBe(signed);
      }),
    );
  });

  it('ignores capitals and outer spaces in a header value', () => {
    const variant = { ...request, host: ` ${request.host} `, contentType: 'Application/JSON ' };
    expect(signature(variant, credentials, timestamp)).toBe(signed);
  });

  it.each([
    ['that is empty', ''],
    ['that contains a slash', 'AKID/1'],
    ['that contains a comma', 'AKID,1'],
    ['with a line feed', 'AKID1\n'],
  ])('rejects a secret id %s', (_, secretId) => {
    expect(() => sign(request, { ...credentials, secretId }, timestamp)).toThrow(
      new TypeError('secretId must be visible ASCII without commas, slashes and spaces, and not empty'),
    );
  });

  it.each([
    ['that is empty', ''],
    ['with a trailing line feed', 'hunter2\n'],
    ['that is not ASCII', 'hünter2'],
  ])('rejects a secret key %s', (_, secretKey) => {
    expect(() => sign(request, { ...credentials, secretKey }, timestamp)).toThrow(
      new TypeError('secretKey must be visible ASCII without spaces, and not empty'),
    );
  });

  it.each(['', 'TRTC', 'trtc/x', 'trtc\n'])('rejects the service %j', (service) => {
    expect(() => sign({ ...request, service }, credentials, timestamp)).toThrow(TypeError);
  });
});
