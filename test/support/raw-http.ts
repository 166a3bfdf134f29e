import { connect, type Socket } from 'node:net';
import { urlToHttpOptions } from 'node:url';
import type { HttpResponse } from './client.js';

export interface RawConnection {
  readonly socket: Socket;
  /** Resolves when the connection is closed or reset, with everything that was received. */
  readonly closed: Promise<string>;
}

/** Opens a TCP connection for a test that writes HTTP byte by byte. */
export function connectRaw(url: string): RawConnection {
  const { hostname, port } = urlToHttpOptions(new URL(url));
  const socket = connect(Number(port), hostname ?? undefined);
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.on('error', () => {});
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(received)));
  return { socket, closed };
}

/**
 * Sends bytes unchanged and returns everything that is received until the server closes the connection.
 *
 * @param options.halfClose whether the client closes its side after the bytes
 */
export function sendRaw(
  url: string,
  bytes: string | Uint8Array,
  { halfClose = false } = {},
): Promise<string> {
  const { socket, closed } = connectRaw(url);
  socket.write(bytes);
  if (halfClose) socket.end();
  return closed;
}

/** Parses one response with a JSON body, as `sendRaw` returns it. */
export function parseRawResponse(response: string): HttpResponse {
  const [head = '', text = ''] = response.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  const body = JSON.parse(text) as Record<string, unknown>;
  return { status: Number(statusLine.split(' ')[1]), headers, text, body };
}
