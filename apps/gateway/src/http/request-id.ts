import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Valid request ids of clients: the log shows them unchanged. */
export const REQUEST_ID = /^[!-~]{1,128}$/;

/** Returns the client's request id if it is valid, otherwise a new one. */
export function getRequestId(headers: IncomingHttpHeaders): string {
  const header = headers['x-request-id'];
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID();
}
