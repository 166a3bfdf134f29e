import type { HttpAnswer } from './transport.js';
import { isCode } from './error-codes.js';
import { CloudFailed, CloudRefused } from './errors.js';

// What comes from outside goes into logs and answers only in these shapes.
const CODE = /^[A-Za-z][A-Za-z0-9]{0,63}(\.[A-Za-z][A-Za-z0-9]{0,63}){0,3}$/;
const REQUEST_ID = /^[\w.-]{1,128}$/;

// JSON lets a member stand twice, and a parser takes the last: an answer and its contrary in one.
const DECISIVE_MEMBER = /"(Response|Error|RequestId)"\s*:/g;

/** Errors of the cloud's own: the call may have taken effect before something behind it failed. */
const OWN_FAULTS = ['InternalError', 'ServiceUnavailable'];

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The members of `Response`. */
export interface Answer {
  readonly RequestId: string;
  readonly [member: string]: unknown;
}

/**
 * Reads an answer of the API: HTTP 200 whenever the server processed the request, so the body decides.
 *
 * @returns the members of `Response`, with a `RequestId` that is there for sure
 * @throws CloudRefused for a definite error code
 * @throws CloudFailed for the cloud's own faults and for anything that is not an answer
 * @see https://www.tencentcloud.com/document/product/647/34266 (responses)
 */
export function decodeAnswer({ status, body, date }: HttpAnswer): Answer {
  if (status !== 200) throw new CloudFailed(`HTTP ${status}`);
  const { Response: answer } = record(parse(body), 'the answer');
  const { RequestId, Error: error, ...rest } = record(answer, 'Response');
  if (typeof RequestId !== 'string' || !REQUEST_ID.test(RequestId)) throw new CloudFailed('no RequestId');
  if (error === undefined) return { ...rest, RequestId };
  const { Code: code } = record(error, 'Response.Error');
  if (typeof code !== 'string' || !CODE.test(code)) throw new CloudFailed('no error code');
  if (OWN_FAULTS.some((fault) => isCode(code, fault)))
    throw new CloudFailed(code, { cloudCode: code, requestId: RequestId });
  throw new CloudRefused(code, RequestId, date);
}

function parse(body: Uint8Array): unknown {
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(body);
    value = JSON.parse(text);
  } catch {
    throw new CloudFailed('not JSON');
  }
  const members = text.match(DECISIVE_MEMBER) ?? [];
  if (new Set(members).size < members.length) throw new CloudFailed('contradicts itself');
  return value;
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new CloudFailed(`${what} is not an object`);
  return value as Record<string, unknown>;
}
