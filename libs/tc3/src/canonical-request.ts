import { hash } from 'node:crypto';

import { canonicalHeader } from './canonical-header.js';
import { ACTION, CONTENT_TYPE, HOST, METHOD, PATH, QUERY } from './constants.js';
import type { RequestToSign } from './request-to-sign.js';
import { signedHeaders } from './signed-headers.js';

const TARGET = `${METHOD}\n${PATH}\n${QUERY}`;

/** Step 1: the request in the one spelling that both sides hash. */
export function canonicalRequest(request: RequestToSign): string {
  const { host, contentType, payload, action } = request;
  const headers =
    canonicalHeader(CONTENT_TYPE, contentType) +
    canonicalHeader(HOST, host) +
    (action === undefined ? '' : canonicalHeader(ACTION, action));

  // Every header brings its own line feed, so an empty line follows them.
  return `${TARGET}\n${headers}\n${signedHeaders(request)}\n${hash('sha256', payload, 'hex')}`;
}
