import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { CloudRequest } from './cloud-request.js';
import { ApiError } from './api-error.js';

/** What the cloud has to say, before it becomes bytes. */
export interface CloudResponse {
  readonly code: string;
  readonly body: string;
}

/** The action went through. */
export function successResponse(): CloudResponse {
  return { code: 'OK', body: JSON.stringify({ Response: { RequestId: randomUUID() } }) };
}

/** An error; HTTP 200 all the same. */
export function errorResponse(code: string, message: string): CloudResponse {
  const error = { Code: code, Message: message };
  return { code, body: JSON.stringify({ Response: { Error: error, RequestId: randomUUID() } }) };
}

/** Runs `action` and turns its refusal into an answer; what is no refusal is a fault of the sandbox and flies on. */
export function toResponse(action: () => void): CloudResponse {
  try {
    action();
    return successResponse();
  } catch (error) {
    if (error instanceof ApiError) return errorResponse(error.code, error.message);
    throw error;
  }
}

/** The headers of every answer. */
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

/** Sends a whole answer the ordinary way. */
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

/** A page as the edge in front of the cloud serves. */
export function edgePage(status: number, text: string): string {
  const title = `${status} ${text}`;
  return `<html>\r\n<head><title>${title}</title></head>\r\n<body>\r\n<center><h1>${title}</h1></center>\r\n<hr><center>stgw</center>\r\n</body>\r\n</html>\r\n`;
}
