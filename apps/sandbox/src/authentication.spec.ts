import { describe, expect, it } from '@jest/globals';
import { authenticate } from './authentication.js';
import type { CloudRequest } from './cloud-request.js';
import { signedStop, type StopCall } from './testing/signed-stop.js';

const PERMANENT = { secretId: 'AKIDdemo1', secretKey: 'k'.repeat(32) };
const TEMPORARY = { secretId: 'AKIDdemo2', secretKey: 't'.repeat(32), token: 'demo-token' };
const KNOWN = [PERMANENT, TEMPORARY];
const TIMESTAMP = 1_735_689_599; // 2024-12-31T23:59:59Z

interface Spoilt extends Partial<StopCall> {
  readonly headers?: Record<string, string | undefined>;
  readonly authorization?: (header: string) => string;
}

function request({ headers = {}, authorization = (same) => same, ...call }: Spoilt = {}): CloudRequest {
  const signed = signedStop({ credentials: PERMANENT, timestamp: TIMESTAMP, ...call });
  const all = {
    ...signed.headers,
    authorization: authorization(signed.headers['authorization'] ?? ''),
    ...headers,
  };
  const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return { method: 'POST', target: '/', headers: Object.fromEntries(sent), body: Buffer.from(signed.body) };
}

function at(seconds: number): number {
  return seconds * 1000;
}

function replaced(what: string | RegExp, by: string): Spoilt {
  return { authorization: (header) => header.replace(what, by) };
}

describe('authenticate', () => {
  it('accepts what the official SDK signs', () => {
    expect(() => authenticate(request(), KNOWN, at(TIMESTAMP))).not.toThrow();
  });

  it('accepts a temporary pair that brings its token', () => {
    expect(() => authenticate(request({ credentials: TEMPORARY }), KNOWN, at(TIMESTAMP))).not.toThrow();
  });

  it.each([-300, 0, 300, 300.999])('accepts a timestamp that is %d s old', (age) => {
    expect(() => authenticate(request(), KNOWN, at(TIMESTAMP + age))).not.toThrow();
  });

  it.each([-86_400, -301, 301, 86_400])('refuses a timestamp that is %d s old', (age) => {
    expect(() => authenticate(request(), KNOWN, at(TIMESTAMP + age))).toThrow(
      expect.objectContaining({ code: 'AuthFailure.SignatureExpire' }),
    );
  });

  const refusals: [string, string, Spoilt][] = [
    ['no Content-Type', 'MissingParameter', { headers: { 'content-type': undefined } }],
    ['no timestamp', 'MissingParameter', { headers: { 'x-tc-timestamp': undefined } }],
    ['a fractional timestamp', 'AuthFailure.InvalidAuthorization', { headers: { 'x-tc-timestamp': '1.5' } }],
    ['a timestamp in words', 'AuthFailure.InvalidAuthorization', { headers: { 'x-tc-timestamp': 'now' } }],
    ['no Authorization', 'AuthFailure.InvalidAuthorization', { headers: { authorization: undefined } }],
    ['another algorithm', 'AuthFailure.InvalidAuthorization', replaced('TC3-HMAC-SHA256', 'TC3-HMAC-SM3')],
    ['a short signature', 'AuthFailure.InvalidAuthorization', replaced(/.$/, '')],
    [
      'an uppercase signature',
      'AuthFailure.InvalidAuthorization',
      replaced(/Signature=.*/, `Signature=${'A'.repeat(64)}`),
    ],
    ['an unsigned host', 'AuthFailure.InvalidAuthorization', replaced(';host', '')],
    ['an unsigned Content-Type', 'AuthFailure.InvalidAuthorization', replaced('content-type;', '')],
    [
      'signed headers out of order',
      'AuthFailure.InvalidAuthorization',
      replaced('content-type;host', 'host;content-type'),
    ],
    ['a header signed twice', 'AuthFailure.InvalidAuthorization', replaced(';host', ';host;host')],
    [
      'a signed header that was not sent',
      'AuthFailure.InvalidAuthorization',
      replaced(';host', ';host;x-tc-language'),
    ],
    ['a scope of the next day', 'AuthFailure.InvalidAuthorization', replaced('2024-12-31', '2025-01-01')],
    ['a scope of another service', 'AuthFailure.InvalidAuthorization', { service: 'cvm' }],
    [
      'an unknown SecretId',
      'AuthFailure.SecretIdNotFound',
      { credentials: { ...PERMANENT, secretId: 'AKIDother' } },
    ],
    ['a wrong key', 'AuthFailure.SignatureFailure', { credentials: { ...PERMANENT, secretKey: 'wrong' } }],
    [
      'another Host than the signed one',
      'AuthFailure.SignatureFailure',
      { headers: { host: 'localhost:4480' } },
    ],
    [
      'another Content-Type than the signed one',
      'AuthFailure.SignatureFailure',
      { headers: { 'content-type': 'text/json' } },
    ],
    [
      'another timestamp than the signed one',
      'AuthFailure.SignatureFailure',
      { headers: { 'x-tc-timestamp': String(TIMESTAMP - 1) } },
    ],
    ['a token for a permanent pair', 'AuthFailure.TokenFailure', { headers: { 'x-tc-token': 'demo-token' } }],
    [
      'no token for a temporary pair',
      'AuthFailure.TokenFailure',
      { credentials: TEMPORARY, headers: { 'x-tc-token': undefined } },
    ],
    [
      'a wrong token',
      'AuthFailure.TokenFailure',
      { credentials: TEMPORARY, headers: { 'x-tc-token': 'other' } },
    ],
  ];

  it.each(refusals)('answers %s with %s', (_what, code, spoilt) => {
    expect(() => authenticate(request(spoilt), KNOWN, at(TIMESTAMP))).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
