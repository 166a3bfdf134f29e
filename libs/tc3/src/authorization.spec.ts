import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import sdk from 'tencentcloud-sdk-nodejs-common/tencentcloud/common/sign.js';

import { authorization } from './authorization.js';
import type { Credentials } from './credentials.js';
import type { RequestToSign } from './request-to-sign.js';
import { SigningKeys } from './signing-keys.js';

const { default: Sign } = sdk;

const DAY = 86_400;
const secondsOf = (date: string) => Date.parse(date) / 1000;

// Days whose neighbours are told apart by a calendar rule; the others are drawn at random.
const calendarEdges = ['2000-02-29', '2000-03-01', '2024-02-29', '2024-03-01', '2025-03-01', '2100-03-01'];
const yearEnds = fc.integer({ min: 1971, max: 9999 }).map((year) => secondsOf(`${year}-01-01`));
const midnights = fc.oneof(
  fc.constantFrom(...calendarEdges).map(secondsOf),
  yearEnds,
  fc.integer({ min: 1, max: 47_500 }).map((day) => day * DAY),
);
const aroundMidnight = fc
  .tuple(midnights, fc.integer({ min: -2, max: 2 }))
  .map(([midnight, offset]) => midnight + offset);
const times = fc.oneof(
  { weight: 4, arbitrary: aroundMidnight },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 32 }) },
);

const credentialPairs = fc.record({
  secretId: fc.stringMatching(/^(AKID|IKID)[0-9A-Za-z_-]{8,60}$/),
  secretKey: fc.oneof(fc.stringMatching(/^[0-9A-Za-z]{32}$/), fc.stringMatching(/^[!-~]{1,100}$/)),
});
// Lowercase names that a URL leaves as they are, since the SDK takes the host from one.
const hosts = fc.stringMatching(/^[a-z][a-z0-9]{0,20}(-[a-z0-9]{1,9})?(\.[a-z]{2,12}){1,3}$/);
// Without capitals or outer blanks, which the SDK, unlike the specification, signs as they are.
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

describe('beside the official SDK', () => {
  it('writes the same header, byte for byte', () => {
    const keys = new SigningKeys();
    fc.assert(
      fc.property(requests, credentialPairs, times, (request, credentials, at) => {
        const theirs = Sign.sign3({
          ...credentials,
          method: 'POST',
          url: `https://${request.host}/`,
          payload: Buffer.from(request.payload as string),
          timestamp: at,
          service: request.service,
          multipart: false,
          boundary: '',
          headers: { 'Content-Type': request.contentType },
        });
        expect(authorization(request, credentials, at, keys)).toBe(theirs);
      }),
      { numRuns: 2000 },
    );
  });
});

const signature = (request: RequestToSign, credentials: Credentials, at: number) =>
  authorization(request, credentials, at).split('Signature=').at(-1);

/** The text with one character replaced by another one that every field allows. */
const altered = (text: string, place: number) => {
  const index = place % text.length;
  const replacement = text[index] === '7' ? '8' : '7';
  return text.slice(0, index) + replacement + text.slice(index + 1);
};

describe('the signature', () => {
  const payload = Buffer.from('{"SdkAppId":1234567890,"TaskId":"1234"}');
  const request = {
    host: 'trtc.intl.tencentcloudapi.com',
    contentType: 'application/json',
    payload,
    service: 'trtc',
    action: 'StopStreamIngest',
  };
  const credentials = { secretId: 'AKIDEXAMPLE', secretKey: 'Gu5t9xGARNpq86cd98joQYCN3EXAMPLE' };
  const at = 1_735_689_600;
  const signed = signature(request, credentials, at);

  it.each(['host', 'contentType', 'service', 'action'] as const)(
    'changes with any character of %s',
    (field) => {
      fc.assert(
        fc.property(fc.nat(), (place) => {
          const other = { ...request, [field]: altered(request[field], place) };
          expect(signature(other, credentials, at)).not.toBe(signed);
        }),
      );
    },
  );

  it('changes with any character of the secret key', () => {
    fc.assert(
      fc.property(fc.nat(), (place) => {
        const other = { ...credentials, secretKey: altered(credentials.secretKey, place) };
        expect(signature(request, other, at)).not.toBe(signed);
      }),
    );
  });

  it('changes with any bit of the payload', () => {
    fc.assert(
      fc.property(fc.nat({ max: payload.length * 8 - 1 }), (bit) => {
        const other = Uint8Array.from(payload, (byte, index) =>
          index === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte,
        );
        expect(signature({ ...request, payload: other }, credentials, at)).not.toBe(signed);
      }),
    );
  });

  it('changes with every second', () => {
    fc.assert(
      fc.property(times, (other) => {
        fc.pre(other !== at);
        expect(signature(request, credentials, other)).not.toBe(signed);
      }),
    );
  });

  it('does not depend on the case of the action, nor on blanks around a header', () => {
    const respelled = {
      ...request,
      host: ` ${request.host} `,
      contentType: 'Application/JSON ',
      action: 'stopstreamingest',
    };
    expect(signature(respelled, credentials, at)).toBe(signed);
  });

  it('covers the action only if it is given', () => {
    const { action: _, ...withoutAction } = request;
    expect(authorization(request, credentials, at)).toContain('SignedHeaders=content-type;host;x-tc-action,');
    expect(authorization(withoutAction, credentials, at)).toContain('SignedHeaders=content-type;host,');
  });

  it.each([
    ['that is empty', ''],
    ['that would end the credential scope', 'AKID/1'],
    ['that would end the credential', 'AKID,1'],
    ['with a line feed', 'AKID1\n'],
  ])('is refused for a secret id %s', (_, secretId) => {
    expect(() => authorization(request, { ...credentials, secretId }, at)).toThrow(
      new TypeError('secretId must be visible ASCII without comma, slash or blanks, and not empty'),
    );
  });

  it.each([
    ['that is empty', ''],
    ['with the line feed of its file', 'hunter2\n'],
    ['that is not ASCII', 'hünter2'],
  ])('is refused for a secret key %s', (_, secretKey) => {
    expect(() => authorization(request, { ...credentials, secretKey }, at)).toThrow(
      new TypeError('secretKey must be visible ASCII without blanks, and not empty'),
    );
  });

  it.each(['', 'TRTC', 'trtc/x', 'trtc\n'])('is refused for the service %j', (service) => {
    expect(() => authorization({ ...request, service }, credentials, at)).toThrow(TypeError);
  });
});
