import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { edgePage, sendResponse } from './cloud-response.js';
import type { BreakPoint, ConnectionFault } from './faults.js';

/** The connection on which a fault is injected, and the normal response. */
export interface FaultContext {
  readonly response: ServerResponse;
  /** The TLS socket when the client uses TLS. */
  readonly socket: Socket;
  /** The underlying TCP socket; only that one can be reset. */
  readonly tcp: Socket;
  readonly headersFor: (contentType: string) => Record<string, string>;
  /** The body of the normal response. */
  readonly body: string;
  /** Ends faults that take long. */
  readonly closing: AbortSignal;
}

const JSON_TYPE = 'application/json';

/** Injects one fault. Faults that break HTTP bypass the HTTP server and write to the socket. */
export async function injectFault(fault: ConnectionFault, context: FaultContext): Promise<void> {
  const { response, socket, headersFor } = context;
  switch (fault.kind) {
    case 'status': {
      const page = fault.body ?? edgePage(fault.status, STATUS_CODES[fault.status] ?? 'Error');
      sendResponse(
        response,
        fault.status,
        { ...headersFor(fault.contentType ?? 'text/html'), ...fault.headers },
        page,
      );
      return;
    }
    case 'body': {
      const bytes =
        fault.bodyBase64 === undefined ? (fault.body ?? '') : Buffer.from(fault.bodyBase64, 'base64');
      sendResponse(response, 200, { ...headersFor(fault.contentType ?? JSON_TYPE), ...fault.headers }, bytes);
      return;
    }
    case 'no-response':
      return;
    case 'reset':
      await write(socket, partial(context, fault.at));
      context.tcp.resetAndDestroy();
      return;
    case 'close':
      socket.end(partial(context, fault.at));
      return;
    case 'short-body':
      socket.end(head(context, context.body.length * 2) + context.body);
      return;
    case 'trickle':
      await trickle(context, fault.part, fault.everyMs);
      return;
    case 'huge':
      response.sendDate = false;
      response.writeHead(200, headersFor(JSON_TYPE));
      await pipeline(Readable.from(hugeBody(fault.bytes)), response, { signal: context.closing });
  }
}

// Node.js would send the head only together with the body.
function head({ headersFor, body }: FaultContext, length = body.length): string {
  const headers = { ...headersFor(JSON_TYPE), 'Content-Length': length, Connection: 'keep-alive' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 200 OK\r\n${lines.join('')}\r\n`;
}

function partial(context: FaultContext, at: BreakPoint): string {
  if (at === 'before-headers') return '';
  if (at === 'in-headers') return 'HTTP/1.1 200 OK\r\nContent-Type: appl';
  return head(context) + context.body.slice(0, context.body.length / 2);
}

async function write(socket: Socket, bytes: string): Promise<void> {
  if (bytes === '' || socket.destroyed) return;
  await new Promise((done) => socket.write(bytes, done));
}

async function trickle(context: FaultContext, part: 'headers' | 'body', everyMs: number): Promise<void> {
  const { socket, body } = context;
  const [atOnce, byteByByte] = part === 'headers' ? ['', head(context) + body] : [head(context), body];
  await write(socket, atOnce);
  for (const byte of byteByByte) {
    if (socket.destroyed) return;
    await write(socket, byte);
    await sleep(everyMs, undefined, { signal: context.closing });
  }
}

function* hugeBody(bytes: number): Generator<string> {
  const start = '{"Response":{"RequestId":"';
  const end = '"}}';
  yield start.slice(0, bytes);
  const filler = 'x'.repeat(64 * 1024);
  let remaining = bytes - start.length - end.length;
  for (; remaining > 0; remaining -= filler.length) yield filler.slice(0, remaining);
  if (bytes >= start.length + end.length) yield end;
}
