import http from 'node:http';

export interface HttpResponse {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly body: Record<string, unknown> | undefined;
}

interface RequestOptions {
  method?: string;
  headers?: http.OutgoingHttpHeaders;
  body?: string | Buffer;
  agent?: http.Agent;
  /** Whether to name the host, as HTTP demands; true unless told. */
  setHost?: boolean;
}

/** Sends one request with its path exactly as given: no client of our own tidies it. */
export function send(url: string, path: string, options: RequestOptions = {}): Promise<HttpResponse> {
  const { hostname, port } = new URL(url);
  const { method = 'DELETE', body, agent, setHost = true } = options;
  // Node frames the body of a DELETE only when told its length.
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

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
