import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** What a request id of a caller's must look like to be taken: it can be logged as it is. */
export const REQUEST_ID = /^[!-~]{1,128}$/;

/** The id of a request: the caller's, when it can be taken, else a new one. */
export function requestId(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}
