import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { Problem } from '../problems/problem.js';

const FAULTS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: 'the head of the request is too large',
  ERR_HTTP_REQUEST_TIMEOUT: 'the request did not arrive in time',
};

/** Answers what is not HTTP: no request exists yet, so the answer is written by hand, and the connection ends. */
export function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const message = FAULTS[error.code ?? ''] ?? 'the request is not valid HTTP/1.1';
  const problem = new Problem('invalid-request', { errors: [{ in: 'request', name: '', message }] });
  const id = randomUUID();
  const body = JSON.stringify(problem.document(id));
  const headers = {
    ...problem.headers(),
    'x-request-id': id,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 400 Bad Request\r\n${head.join('')}\r\n${body}`);
}
