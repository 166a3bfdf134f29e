import type { HttpResponse } from './transport.js';
import { isCode } from './error-codes.js';
import { CloudFailedError, CloudRejectedError } from './errors.js';

// Only values of this format may appear in logs and responses.
const ERROR_CODE = /^[A-Za-z][A-Za-z0-9]{0,63}(\.[A-Za-z][A-Za-z0-9]{0,63}){0,3}$/;
const REQUEST_ID = /^[\w.-]{1,128}$/;

// With duplicate members, JSON.parse takes the last one. So a response could contain both a success and an error.
const UNIQUE_MEMBER = /"(Response|Error|RequestId)"\s*:/g;

/** Errors inside the cloud: the call may have taken effect before the error. */
const SERVER_ERROR_CODES = ['InternalError', 'ServiceUnavailable'];

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The members of `Response`. */
export interface ApiResponse {
  readonly RequestId: string;
  readonly [member: string]: unknown;
}

/**
 * Parses a response of the API. The status is 200 for errors too, so the body decides.
 *
 * @returns the members of `Response`, with a valid `RequestId`
 * @throws CloudRejectedError for a definite error code
 * @throws CloudFailedError for an error inside the cloud, and for a response that cannot be parsed
 * @see https://www.tencentcloud.com/document/product/647/34266 (responses)
 */
export function parseResponse({ status, body, date }: HttpResponse): ApiResponse {
  if (status !== 200) throw new CloudFailedError(`HTTP ${status}`);
  const { Response: response } = requireObject(parseJson(body), 'the response');
  const { RequestId, Error: error, ...rest } = requireObject(response, 'Response');
  if (typeof RequestId !== 'string' || !REQUEST_ID.test(RequestId))
    throw new CloudFailedError('no RequestId');
  if (error === undefined) return { ...rest, RequestId };
  const { Code: code } = requireObject(error, 'Response.Error');
  if (typeof code !== 'string' || !ERROR_CODE.test(code)) throw new CloudFailedError('no error code');
  if (SERVER_ERROR_CODES.some((serverErrorCode) => isCode(code, serverErrorCode)))
    throw new CloudFailedError(code, { cloudCode: code, requestId: RequestId });
  throw new CloudRejectedError(code, RequestId, date);
}

function parseJson(body: Uint8Array): unknown {
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(body);
    value = JSON.parse(text);
  } catch {
    throw new CloudFailedError('not JSON');
  }
  const members = text.match(UNIQUE_MEMBER) ?? [];
  if (new Set(members).size < members.length) throw new CloudFailedError('duplicate members');
  return value;
}

function requireObject(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CloudFailedError(`${name} is not an object`);
  return value as Record<string, unknown>;
}
