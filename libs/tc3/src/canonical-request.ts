import { hash } from 'node:crypto';

import { canonicalHeader } from './canonical-header.js';
import { ACTION, CONTENT_TYPE, HOST, METHOD, PATH, QUERY } from './constants.js';
import type { RequestToSign } from './request-to-sign.js';
import { signedHeaders } from './signed-headers.js';

const TARGET = `${METHOD}\n${PATH}\n${QUERY}`;

/** Step 1: the request in the one spelling that both sides hash. */
export function canonicalRequest(request: RequestToSign): string {
  return `${linesAbovePayload(request)}${hash('sha256', request.payload, 'hex')}`;
}

type Headers = Pick<RequestToSign, 'host' | 'contentType' | 'action'>;

let last: Headers | undefined;
let linesOfLast = '';

/** A client sends the same headers with every call: the lines of the last ones are kept, an eighth of a signature. */
function linesAbovePayload({ host, contentType, action }: Headers): string {
  if (last?.host === host && last.contentType === contentType && last.action === action) return linesOfLast;
  const headers =
    canonicalHeader(CONTENT_TYPE, contentType) +
    canonicalHeader(HOST, host) +
    (action === undefined ? '' : canonicalHeader(ACTION, action));
  // Every header brings its own line feed, so an empty line follows them.
  linesOfLast = `${TARGET}\n${headers}\n${signedHeaders(action)}\n`;
  last = { host, contentType, ...(action !== undefined && { action }) };
  return linesOfLast;
}
