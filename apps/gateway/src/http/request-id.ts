import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** The request ids that are accepted from a client: they can be logged as they are. */
export const REQUEST_ID = /^[!-~]{1,128}$/;

/** The client's request id when it is acceptable, else a new one. */
export function requestId(headers: IncomingHttpHeaders): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}
