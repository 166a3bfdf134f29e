import { describe, expect, it } from '@jest/globals';
import { authenticate } from './authentication.js';
import type { CloudRequest } from './cloud-request.js';
import { signedStop, type StopCall } from './testing/signed-stop.js';

const PERMANENT = { secretId: 'AKIDdemo1', secretKey: 'k'.repeat(32) };
const TEMPORARY = { secretId: 'AKIDdemo2', secretKey: 't'.repeat(32), token: 'demo-token' };
const KNOWN = [PERMANENT, TEMPORARY];
const TIMESTAMP = 1_735_689_599; // 2024-12-31T23:59:59Z

interface RequestChanges extends Partial<StopCall> {
  readonly headers?: Record<string, string | undefined>;
  readonly authorization?: (header: string) => string;
  /** Replaces the signed body. */
  readonly sentBody?: string;
}

function request({
  headers = {},
  authorization = (header) => header,
  sentBody,
  ...call
}: RequestChanges = {}): CloudRequest {
  const signed = signedStop({ credentials: PERMANENT, timestamp: TIMESTAMP, ...call });
  const all = {
    ...signed.headers,
    authorization: authorization(signed.headers['authorization'] ?? ''),
    ...headers,
  };
  const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    method: 'POST',
    target: '/',
    headers: Object.fromEntries(sent),
    body: Buffer.from(sentBody ?? signed.body),
  };
}

function toMs(seconds: number): number {
  return seconds * 1000;
}

function replaced(pattern: string | RegExp, by: string | ((match: string) => string)): RequestChanges {
  return { authorization: (header) => header.replace(pattern, by as string) };
}

const header = (name: string, value?: string): RequestChanges => ({ headers: { [name]: value } });

describe('authenticate', () => {
  it('accepts a request that the official SDK signed', () => {
    expect(() => authenticate(request(), KNOWN, toMs(TIMESTAMP))).not.toThrow();
  });

  it('accepts temporary credentials with their token', () => {
    expect(() => authenticate(request({ credentials: TEMPORARY }), KNOWN, toMs(TIMESTAMP))).not.toThrow();
  });

  it.each([-300, 0, 300, 300.999])('accepts a timestamp that is %d s old', (age) => {
    expect(() => authenticate(request(), KNOWN, toMs(TIMESTAMP + age))).not.toThrow();
  });

  it.each([-86_400, -301, 301, 86_400])('rejects a timestamp that is %d s old', (age) => {
    expect(() => authenticate(request(), KNOWN, toMs(TIMESTAMP + age))).toThrow(
      expect.objectContaining({ code: 'AuthFailure.SignatureExpire' }),
    );
  });

  const INVALID = 'AuthFailure.InvalidAuthorization';
  const MISMATCH = 'AuthFailure.SignatureFailure';
  const TOKEN = 'AuthFailure.TokenFailure';
  const rejections: [string, string, RequestChanges][] = [
    ['no Content-Type', 'MissingParameter', header('content-type')],
    ['no timestamp', 'MissingParameter', header('x-tc-timestamp')],
    ['a fractional timestamp', INVALID, header('x-tc-timestamp', '1.5')],
    ['a timestamp that is not a number', INVALID, header('x-tc-timestamp', 'now')],
    ['no Authorization', INVALID, header('authorization')],
    ['another algorithm', INVALID, replaced('TC3-HMAC-SHA256', 'TC3-HMAC-SM3')],
    ['a short signature', INVALID, replaced(/.$/, '')],
    ['an uppercase signature', INVALID, replaced(/Signature=.*/, `Signature=${'A'.repeat(64)}`)],
    ['an unsigned Host', INVALID, replaced(';host', '')],
    ['an unsigned Content-Type', INVALID, replaced('content-type;', '')],
    ['signed headers out of order', INVALID, replaced('content-type;host', 'host;content-type')],
    ['a header signed twice', INVALID, replaced(';host', ';host;host')],
    ['a signed header that was not sent', INVALID, replaced(';host', ';host;x-tc-language')],
    ['a credential scope of the next day', INVALID, replaced('2024-12-31', '2025-01-01')],
    ['a credential scope of another service', INVALID, { service: 'cvm' }],
    [
      'an unknown SecretId',
      'AuthFailure.SecretIdNotFound',
      { credentials: { ...PERMANENT, secretId: 'AKIDother' } },
    ],
    ['a wrong key', MISMATCH, { credentials: { ...PERMANENT, secretKey: 'wrong' } }],
    ['another signature', MISMATCH, replaced(/.$/, (digit) => (digit === '0' ? '1' : '0'))],
    ['another Host than the signed one', MISMATCH, header('host', 'localhost:4480')],
    ['another Content-Type than the signed one', MISMATCH, header('content-type', 'text/json')],
    ['another timestamp than the signed one', MISMATCH, header('x-tc-timestamp', String(TIMESTAMP - 1))],
    ['another body than the signed one', MISMATCH, { sentBody: '{"SdkAppId":1}' }],
    ['a token with permanent credentials', TOKEN, header('x-tc-token', 'demo-token')],
    ['temporary credentials without a token', TOKEN, { credentials: TEMPORARY, ...header('x-tc-token') }],
    ['a wrong token', TOKEN, { credentials: TEMPORARY, ...header('x-tc-token', 'other') }],
  ];

  it.each(rejections)('rejects %s with %s', (_name, code, changes) => {
    expect(() => authenticate(request(changes), KNOWN, toMs(TIMESTAMP))).toThrow(
      expect.objectContaining({ code }),
    );
  });
});
