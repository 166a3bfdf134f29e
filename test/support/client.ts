import http from 'node:http';
import { urlToHttpOptions } from 'node:url';

export interface HttpResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** The parsed body; undefined when it is not JSON. */
  readonly body: Record<string, unknown> | undefined;
}

interface RequestOptions {
  method?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: string | Buffer;
  agent?: http.Agent;
  /** Whether the request has a Host header, which HTTP requires. Default true. */
  setHost?: boolean;
}

/** Sends one request. The path is sent exactly as given, without normalization. */
export function send(url: string, path: string, options: RequestOptions = {}): Promise<HttpResponse> {
  const { hostname, port } = urlToHttpOptions(new URL(url));
  const { method = 'DELETE', body, agent, setHost = true } = options;
  // Node.js sends no Content-Length for the body of a DELETE by itself.
  const headers = {
    ...options.headers,
    ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
  };
  return new Promise((resolve, reject) => {
    const request = http.request(
      { hostname, port, path, method, headers, setHost, ...(agent && { agent }) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode!, headers: response.headers, text, body: parseJson(text) });
        });
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

export function stopTask(
  url: string,
  taskId: string,
  query = '',
  headers: http.OutgoingHttpHeaders = {},
): Promise<HttpResponse> {
  return send(url, `/ingest-tasks/${encodeURIComponent(taskId)}${query}`, { headers });
}

/** Sends a DELETE. The test disconnects the client with `destroy()`. */
export function startStop(
  url: string,
  taskId: string,
  headers: http.OutgoingHttpHeaders = {},
): http.ClientRequest {
  const request = http.request(`${url}/ingest-tasks/${taskId}`, { method: 'DELETE', headers });
  request.on('error', () => {}).end();
  return request;
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
