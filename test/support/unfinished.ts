import { once } from 'node:events';
import { connect } from 'node:net';
import type { HttpResponse } from './client.js';

/** Sends a request without the end of its headers, and returns the response, which ends the connection. */
export async function sendUnfinished(url: string, method: string, path: string): Promise<HttpResponse> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nUnfinished: `);
  await once(socket, 'close');
  const [head = '', text = ''] = received.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  const body = JSON.parse(text) as Record<string, unknown>;
  return { status: Number(statusLine.split(' ')[1]), headers, text, body };
}
