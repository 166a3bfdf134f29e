import { describe, expect, it } from '@jest/globals';
import { CloudFailedError, CloudRejectedError } from './errors.js';
import { parseResponse } from './parse-response.js';

/** A SecretId, a signature and a session token, as a request contains them. */
const SECRETS = ['AKIDSecretIdentifier', 'c0ffee'.repeat(10) + '1234', 'Session-Token/0123456789=='];

const parse = (body: string | Uint8Array, status = 200) =>
  parseResponse({ status, body: Buffer.from(body), date: 'Thu, 01 Jan 2026 00:00:00 GMT' }, SECRETS);

/** A response with this error code. */
const withCode = (code: unknown): string =>
  JSON.stringify({
    Response: {
      RequestId: '00000000-0000-4000-8000-000000000001',
      Error: { Code: code, Message: 'text of the body' },
    },
  });

function errorOf(body: string | Uint8Array, status?: number): unknown {
  try {
    return parse(body, status);
  } catch (error) {
    return error;
  }
}

describe('a response of the API', () => {
  it('returns its members when it has no error', () => {
    expect(parse('{"Response":{"RequestId":"00000000-0000-4000-8000-000000000001","Count":2}}')).toEqual({
      RequestId: '00000000-0000-4000-8000-000000000001',
      Count: 2,
    });
  });

  it.each(['71993312-6ab8-4768-9124-118e0a20c45f', 'AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE'])(
    'may have the RequestId %s',
    (requestId) => {
      expect(parse(JSON.stringify({ Response: { RequestId: requestId } }))).toEqual({ RequestId: requestId });
    },
  );

  it.each([
    ['FailedOperation', 'FailedOperation'],
    ['RequestLimitExceeded.UinLimitExceeded', 'RequestLimitExceeded.UinLimitExceeded'],
    ['FailedOperation.Undocumented', 'FailedOperation'],
    ['InvalidParameter.TaskId.Undocumented', 'InvalidParameter.TaskId'],
    ['InvalidParameter.TaskIdentity', 'InvalidParameter'],
    ['Undocumented.b.C1.d', 'Undocumented'],
    ['InternalErrorElsewhere', 'InternalErrorElsewhere'],
    ['a'.repeat(64), 'a'.repeat(64)],
  ])('is a rejection when its error is %s, and its code is the known part %s', (code, known) => {
    const error = errorOf(withCode(code));
    expect(error).toBeInstanceOf(CloudRejectedError);
    expect(error).toMatchObject({
      cloudCode: known,
      requestId: '00000000-0000-4000-8000-000000000001',
      date: 'Thu, 01 Jan 2026 00:00:00 GMT',
    });
    expect(String(error)).not.toContain('text of the body');
  });

  it.each([
    ['InternalError', 'InternalError'],
    ['InternalError.InternalError', 'InternalError.InternalError'],
    ['InternalError.AKIDSecretIdentifier', 'InternalError'],
    ['ServiceUnavailable', 'ServiceUnavailable'],
  ])('is a failure with an unknown outcome when its error is %s, and its code is %s', (code, known) => {
    const error = errorOf(withCode(code));
    expect(error).toBeInstanceOf(CloudFailedError);
    expect(error).toMatchObject({
      reason: known,
      upstreamError: { cloudCode: known, requestId: '00000000-0000-4000-8000-000000000001' },
    });
  });

  it.each([
    ['a SecretId', 'AKIDSecretIdentifier'],
    ['a SecretId in lower case', 'akidsecretidentifier'],
    ['a SecretId in a longer word', 'XAKIDSecretIdentifierX'],
    ['a part of a SecretId', 'SecretIdent'],
    ['a part of a token in a longer word', 'XionTokenXSessionTokenX'],
    ['a part of a token', 'SessionToken'],
  ])('is a failure without its code when its error is %s', (_, code) => {
    expect(errorOf(withCode(code))).toMatchObject({ reason: 'no error code', upstreamError: undefined });
    expect(errorOf(withCode(`${code}.Sub`))).toMatchObject({ reason: 'no error code' });
  });

  it('is a failure when its RequestId is a part of the signature in the form of a UUID', () => {
    const body = JSON.stringify({ Response: { RequestId: 'c0ffeec0-ffee-c0ff-eec0-ffeec0ffeec0' } });
    expect(errorOf(body)).toMatchObject({ reason: 'no RequestId', upstreamError: undefined });
  });

  it.each([201, 302, 500])('is a failure when its status is %d, even with a valid body', (status) => {
    const error = errorOf('{"Response":{"RequestId":"00000000-0000-4000-8000-000000000001"}}', status);
    expect(error).toBeInstanceOf(CloudFailedError);
    expect(error).toMatchObject({ reason: `HTTP ${status}`, upstreamError: undefined });
  });

  it.each<[reason: string, body: string | Uint8Array]>([
    ['not JSON', ''],
    ['not JSON', '<html>'],
    ['not JSON', Uint8Array.from([0x22, 0xff, 0x22])],
    ['the response is not an object', 'null'],
    ['the response is not an object', '[]'],
    ['the response is not an object', '"Response"'],
    ['Response is not an object', '{}'],
    ['Response is not an object', '{"Response":null}'],
    ['Response is not an object', '{"Response":[]}'],
    [
      'Response.Error is not an object',
      '{"Response":{"RequestId":"00000000-0000-4000-8000-000000000001","Error":null}}',
    ],
    ['no RequestId', '{"Response":{}}'],
    ['no RequestId', '{"Response":{"RequestId":1}}'],
    ['no RequestId', '{"Response":{"RequestId":""}}'],
    ['no RequestId', '{"Response":{"RequestId":"a b"}}'],
    ['no RequestId', '{"Response":{"RequestId":"00000000-0000-4000-8000-000000000001\\n"}}'],
    ['no RequestId', '{"Response":{"RequestId":"\\n00000000-0000-4000-8000-000000000001"}}'],
    ['no RequestId', '{"Response":{"RequestId":"00000000000040008000000000000001"}}'],
    ['no RequestId', JSON.stringify({ Response: { RequestId: 'a'.repeat(36) } })],
    ['no error code', withCode(undefined)],
    ['no error code', withCode(1)],
    ['no error code', withCode('')],
    ['no error code', withCode('1st')],
    ['no error code', withCode('A..B')],
    ['no error code', withCode('A1')],
    ['no error code', withCode('A.B.C.D.E')],
    ['no error code', withCode('a'.repeat(65))],
    ['no error code', withCode('A\n')],
    ['no error code', withCode(' A')],
    [
      'duplicate members',
      '{"Response":{"RequestId":"00000000-0000-4000-8000-000000000001","RequestId":"00000000-0000-4000-8000-000000000002"}}',
    ],
    ['duplicate members', '{"Response":{"RequestId":"00000000-0000-4000-8000-000000000001"},"Response":{}}'],
    [
      'duplicate members',
      '{"Response":{"RequestId":"00000000-0000-4000-8000-000000000001","Error":{"Code":"A"},"Error":{"Code":"B"}}}',
    ],
  ])('is a failure with the reason %s, and with no text of its body, when it is %j', (reason, body) => {
    const error = errorOf(body);
    expect(error).toBeInstanceOf(CloudFailedError);
    expect(error).toMatchObject({ reason, upstreamError: undefined });
  });
});
