import type { HttpResponse } from './transport.js';
import { isCode } from './error-codes.js';
import { CloudFailedError, CloudRejectedError } from './errors.js';

// What comes from outside goes into logs and answers only in these shapes.
const ERROR_CODE = /^[A-Za-z][A-Za-z0-9]{0,63}(\.[A-Za-z][A-Za-z0-9]{0,63}){0,3}$/;
const REQUEST_ID = /^[\w.-]{1,128}$/;

// JSON lets a member stand twice, and a parser takes the last: an answer and its contrary in one.
const UNIQUE_MEMBER = /"(Response|Error|RequestId)"\s*:/g;

/** Errors of the cloud's own: the call may have taken effect before something behind it failed. */
const SERVER_ERROR_CODES = ['InternalError', 'ServiceUnavailable'];

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The members of `Response`. */
export interface ApiResponse {
  readonly RequestId: string;
  readonly [member: string]: unknown;
}

/**
 * Reads an answer of the API: HTTP 200 whenever the server processed the request, so the body decides.
 *
 * @returns the members of `Response`, with a `RequestId` that is there for sure
 * @throws CloudRejectedError for a definite error code
 * @throws CloudFailedError for the cloud's own faults and for anything that is not an answer
 * @see https://www.tencentcloud.com/document/product/647/34266 (responses)
 */
export function parseResponse({ status, body, date }: HttpResponse): ApiResponse {
  if (status !== 200) throw new CloudFailedError(`HTTP ${status}`);
  const { Response: response } = requireObject(parseJson(body), 'the answer');
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
  if (new Set(members).size < members.length) throw new CloudFailedError('contradicts itself');
  return value;
}

function requireObject(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CloudFailedError(`${name} is not an object`);
  return value as Record<string, unknown>;
}
