import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { edgePage, sendResponse } from './cloud-response.js';
import type { BreakPoint, ConnectionFault } from './faults.js';

/** The connection on which a fault is to happen, and what would have been answered. */
export interface FaultContext {
  readonly response: ServerResponse;
  /** Speaks TLS where the client does. */
  readonly socket: Socket;
  /** The TCP connection under it; only that one can be reset. */
  readonly tcp: Socket;
  readonly headersFor: (contentType: string) => Record<string, string>;
  /** The body of the normal answer. */
  readonly body: string;
  /** Ends whatever takes long. */
  readonly closeSignal: AbortSignal;
}

const JSON_TYPE = 'application/json';

/** Lets one fault happen. Faults that break HTTP write to the socket past the HTTP server. */
export async function injectFault(fault: ConnectionFault, stage: FaultContext): Promise<void> {
  const { response, socket, headersFor } = stage;
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
      await write(socket, partial(stage, fault.at));
      stage.tcp.resetAndDestroy();
      return;
    case 'close':
      socket.end(partial(stage, fault.at));
      return;
    case 'short-body':
      socket.end(head(stage, stage.body.length * 2) + stage.body);
      return;
    case 'trickle':
      await trickle(stage, fault.part, fault.everyMs);
      return;
    case 'huge':
      response.sendDate = false;
      response.writeHead(200, headersFor(JSON_TYPE));
      await pipeline(Readable.from(hugeBody(fault.bytes)), response, { signal: stage.closeSignal });
  }
}

/** The answer's head as bytes; Node's own would only leave with the body. */
function head({ headersFor, body }: FaultContext, length = body.length): string {
  const headers = { ...headersFor(JSON_TYPE), 'Content-Length': length, Connection: 'keep-alive' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 200 OK\r\n${lines.join('')}\r\n`;
}

function partial(stage: FaultContext, at: BreakPoint): string {
  if (at === 'before-headers') return '';
  if (at === 'in-headers') return 'HTTP/1.1 200 OK\r\nContent-Type: appl';
  return head(stage) + stage.body.slice(0, stage.body.length / 2);
}

async function write(socket: Socket, bytes: string): Promise<void> {
  if (bytes === '' || socket.destroyed) return;
  await new Promise((done) => socket.write(bytes, done));
}

async function trickle(stage: FaultContext, part: 'headers' | 'body', everyMs: number): Promise<void> {
  const { socket, body } = stage;
  const [whole, single] = part === 'headers' ? ['', head(stage) + body] : [head(stage), body];
  await write(socket, whole);
  for (const byte of single) {
    if (socket.destroyed) return;
    await write(socket, byte);
    await sleep(everyMs, undefined, { signal: stage.closeSignal });
  }
}

function* hugeBody(bytes: number): Generator<string> {
  const start = '{"Response":{"RequestId":"';
  const end = '"}}';
  yield start.slice(0, bytes);
  const filler = 'x'.repeat(64 * 1024);
  let left = bytes - start.length - end.length;
  for (; left > 0; left -= filler.length) yield filler.slice(0, left);
  if (bytes >= start.length + end.length) yield end;
}
