import type { HttpResponse } from './transport.js';
import { DOCUMENTED_CODES, isCode } from './error-codes.js';
import { CloudFailedError, CloudRejectedError } from './errors.js';

// Only values of this format may appear in logs and responses.
const ERROR_CODE = /^[A-Za-z]{1,64}(\.[A-Za-z][A-Za-z0-9]{0,63}){0,3}$/;
/** A UUID. */
const REQUEST_ID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i;

const KNOWN_CODES = new Set<string>(DOCUMENTED_CODES);

/** A text echoes a secret if they have this many letters and digits in common, in sequence: less can be chance. */
const MIN_ECHO_LENGTH = 12;
/** A shorter text is no secret, and shows nothing of one. */
const MIN_SECRET_LENGTH = 8;

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
 * Parses a response of the API. The status is 200 for errors too, so the body decides. The RequestId and the error code
 * never contain a secret of the request: a response that returns one is malformed.
 *
 * @param secrets what the request contained and nobody else may see
 * @returns the members of `Response`, with a valid `RequestId`
 * @throws CloudRejectedError for a definite error code
 * @throws CloudFailedError for an error inside the cloud, and for a response that cannot be parsed
 * @see https://www.tencentcloud.com/document/product/647/34266 (responses)
 */
export function parseResponse({ status, body, date }: HttpResponse, secrets: readonly string[]): ApiResponse {
  if (status !== 200) throw new CloudFailedError(`HTTP ${status}`);
  const { Response: response } = requireObject(parseJson(body), 'the response');
  const { RequestId, Error: error, ...rest } = requireObject(response, 'Response');
  if (typeof RequestId !== 'string' || !REQUEST_ID.test(RequestId) || echoes(RequestId, secrets))
    throw new CloudFailedError('no RequestId');
  if (error === undefined) return { ...rest, RequestId };
  const code = parseCode(requireObject(error, 'Response.Error')['Code'], secrets);
  if (SERVER_ERROR_CODES.some((serverErrorCode) => isCode(code, serverErrorCode)))
    throw new CloudFailedError(code, { cloudCode: code, requestId: RequestId });
  throw new CloudRejectedError(code, RequestId, date);
}

/** Returns the longest documented code that contains the code of the response; if there is none, its first segment. */
function parseCode(code: unknown, secrets: readonly string[]): string {
  if (typeof code !== 'string' || !ERROR_CODE.test(code)) throw new CloudFailedError('no error code');
  let known = code;
  while (!KNOWN_CODES.has(known) && known.includes('.')) known = known.slice(0, known.lastIndexOf('.'));
  if (!KNOWN_CODES.has(known) && echoes(known, secrets)) throw new CloudFailedError('no error code');
  return known;
}

/** Whether a text contains a part of a secret, with any letter case and separators. */
function echoes(text: string, secrets: readonly string[]): boolean {
  const shown = lettersAndDigits(text);
  return secrets.map(lettersAndDigits).some((secret) => {
    const length = Math.min(MIN_ECHO_LENGTH, secret.length, shown.length);
    if (length < MIN_SECRET_LENGTH) return false;
    for (let start = 0; start + length <= shown.length; start += 1)
      if (secret.includes(shown.slice(start, start + length))) return true;
    return false;
  });
}

function lettersAndDigits(text: string): string {
  return text.replaceAll(/[^a-z\d]/gi, '').toLowerCase();
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
