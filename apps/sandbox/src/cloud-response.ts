import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { CloudRequest } from './cloud-request.js';
import { ApiError } from './api-error.js';

/** A response of the API, before it is sent. */
export interface CloudResponse {
  readonly code: string;
  readonly body: string;
}

/** Returns the response of a successful action. */
export function successResponse(): CloudResponse {
  return { code: 'OK', body: JSON.stringify({ Response: { RequestId: randomUUID() } }) };
}

/** Returns an error response; its HTTP status is 200 as well. */
export function errorResponse(code: string, message: string): CloudResponse {
  const error = { Code: code, Message: message };
  return { code, body: JSON.stringify({ Response: { Error: error, RequestId: randomUUID() } }) };
}

/** Runs `action` and turns an {@link ApiError} into a response. Other errors are bugs of the sandbox and are rethrown. */
export function toResponse(action: () => void): CloudResponse {
  try {
    action();
    return successResponse();
  } catch (error) {
    if (error instanceof ApiError) return errorResponse(error.code, error.message);
    throw error;
  }
}

/** Returns the headers of every response. */
export function responseHeaders(
  request: CloudRequest,
  now: number,
  contentType: string,
): Record<string, string> {
  const traceId = request.headers['x-tc-traceid'];
  return {
    Date: new Date(now).toUTCString(),
    'Content-Type': contentType,
    ...(traceId !== undefined && { 'X-TC-TraceId': traceId }),
  };
}

/** Sends a complete response. */
export function sendResponse(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
): void {
  const bytes = Buffer.from(body);
  response.sendDate = false;
  response.writeHead(status, { ...headers, 'Content-Length': bytes.length }).end(bytes);
}

/** Returns an HTML page like those of the edge proxy in front of the API. */
export function edgePage(status: number, text: string): string {
  const title = `${status} ${text}`;
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>stgw</center>\r\n</body>\r\n</html>\r\n`;
}
