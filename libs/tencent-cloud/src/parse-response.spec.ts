import { describe, expect, it } from '@jest/globals';
import { CloudFailedError, CloudRejectedError } from './errors.js';
import { parseResponse } from './parse-response.js';

const parse = (body: string | Uint8Array, status = 200) =>
  parseResponse({ status, body: Buffer.from(body), date: 'Thu, 01 Jan 2026 00:00:00 GMT' });

/** A response with this error code. */
const withCode = (code: unknown): string =>
  JSON.stringify({ Response: { RequestId: 'r-1', Error: { Code: code, Message: 'text of the body' } } });

function errorOf(body: string | Uint8Array, status?: number): unknown {
  try {
    return parse(body, status);
  } catch (error) {
    return error;
  }
}

describe('a response of the API', () => {
  it('returns its members when it has no error', () => {
    expect(parse('{"Response":{"RequestId":"r-1","Count":2}}')).toEqual({ RequestId: 'r-1', Count: 2 });
  });

  it.each(['r', 'a'.repeat(128), '71993312-6ab8-4768-9124-118e0a20c45f', 'a_b.c'])(
    'may have the RequestId %s',
    (requestId) => {
      expect(parse(JSON.stringify({ Response: { RequestId: requestId } }))).toEqual({ RequestId: requestId });
    },
  );

  it.each([
    'FailedOperation',
    'RequestLimitExceeded.UinLimitExceeded',
    'A.b.C1.d',
    'InternalErrorElsewhere',
    'a'.repeat(64),
  ])('is a rejection when its error is %s', (code) => {
    const error = errorOf(withCode(code));
    expect(error).toBeInstanceOf(CloudRejectedError);
    expect(error).toMatchObject({ cloudCode: code, requestId: 'r-1', date: 'Thu, 01 Jan 2026 00:00:00 GMT' });
    expect(String(error)).not.toContain('text of the body');
  });

  it.each(['InternalError', 'InternalError.InternalError', 'ServiceUnavailable'])(
    'is a failure with an unknown outcome when its error is %s',
    (code) => {
      const error = errorOf(withCode(code));
      expect(error).toBeInstanceOf(CloudFailedError);
      expect(error).toMatchObject({ reason: code, upstreamError: { cloudCode: code, requestId: 'r-1' } });
    },
  );

  it.each([201, 302, 500])('is a failure when its status is %d, even with a valid body', (status) => {
    const error = errorOf('{"Response":{"RequestId":"r-1"}}', status);
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
    ['Response.Error is not an object', '{"Response":{"RequestId":"r-1","Error":null}}'],
    ['no RequestId', '{"Response":{}}'],
    ['no RequestId', '{"Response":{"RequestId":1}}'],
    ['no RequestId', '{"Response":{"RequestId":""}}'],
    ['no RequestId', '{"Response":{"RequestId":"a b"}}'],
    ['no RequestId', '{"Response":{"RequestId":"r\\n"}}'],
    ['no RequestId', '{"Response":{"RequestId":"\\nr"}}'],
    ['no RequestId', JSON.stringify({ Response: { RequestId: 'a'.repeat(129) } })],
    ['no error code', withCode(undefined)],
    ['no error code', withCode(1)],
    ['no error code', withCode('')],
    ['no error code', withCode('1st')],
    ['no error code', withCode('A..B')],
    ['no error code', withCode('A.B.C.D.E')],
    ['no error code', withCode('a'.repeat(65))],
    ['no error code', withCode('A\n')],
    ['no error code', withCode(' A')],
    ['duplicate members', '{"Response":{"RequestId":"r-1","RequestId":"r-2"}}'],
    ['duplicate members', '{"Response":{"RequestId":"r-1"},"Response":{}}'],
    ['duplicate members', '{"Response":{"RequestId":"r-1","Error":{"Code":"A"},"Error":{"Code":"B"}}}'],
  ])('is a failure with the reason %s, and with no text of its body, when it is %j', (reason, body) => {
    const error = errorOf(body);
    expect(error).toBeInstanceOf(CloudFailedError);
    expect(error).toMatchObject({ reason, upstreamError: undefined });
  });
});
