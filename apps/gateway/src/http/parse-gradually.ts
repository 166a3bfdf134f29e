import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { RequestLineCheck } from './request-line-check.js';

/** No request is shorter: `GET /` and two line ends. */
const MIN_REQUEST_BYTES = 9;

const HEADERS_END = '\r\n\r\n';

interface ConnectionState {
  readonly inFlight: number;
  /** The last request whose headers have arrived. */
  readonly lastRequest: Pick<IncomingMessage, 'complete'> | undefined;
}

interface ParseOptions {
  readonly maxInFlight: number;
  /** Returns the state of the connection now. */
  readonly state: () => ConnectionState;
  /** Called when a request line contains several spaces in a row. */
  readonly onMalformed: () => void;
  /** Called with the memory of the bytes that wait for the parser. */
  readonly onUnread: (bytes: number) => void;
  /** Calls this in a later turn of the event loop. */
  readonly defer: (resume: () => void) => void;
}

/**
 * Limits the requests in flight on a connection of an HTTP server, and parses about one request per turn of the event
 * loop. On its own, Node.js parses all requests of a packet at once. At the limit, nothing is read.
 *
 * @see ../../../../docs/adr/0025-parse-gradually.md for why it replaces a listener of Node.js
 * @returns call it when a request has ended
 */
export function parseGradually(
  socket: Socket,
  { maxInFlight, state, onMalformed, onUnread, defer }: ParseOptions,
): () => void {
  const [parse, ...others] = socket.listeners('data') as ((bytes: Buffer) => void)[];
  if (!parse || others.length > 0) throw new Error('this Node.js has another HTTP parser: see docs/adr/0025');
  const requestLine = new RequestLineCheck();
  let isInHead = false;
  let isAtLimit = false;
  let hasUnread = false;
  let isPausedByNode = false;
  // Node.js pauses the socket itself while the client does not read, and resumes it later.
  const resume = (): void => void (isPausedByNode || socket.resume());
  socket.off('data', parse);
  socket.on('data', (bytes: Buffer) => {
    // After the last response of a connection, the client may still send requests.
    if (socket.writableEnded) return;
    const { inFlight, lastRequest } = state();
    const length = nextLength(bytes, maxInFlight, inFlight, isReceiving(lastRequest));
    isAtLimit = length === 0;
    if (length > 0) {
      const part = bytes.subarray(0, length);
      if (!isInHead && !isReceiving(lastRequest)) requestLine.start();
      if (requestLine.fails(part)) return onMalformed();
      parse(part);
      // After a body, the next request may have started in this part. Its request line is not checked.
      isInHead = state().lastRequest === lastRequest && !isReceiving(lastRequest);
    }
    isPausedByNode = socket.isPaused();
    if (hasUnread || length < bytes.length) {
      hasUnread = length < bytes.length;
      // A part of a buffer keeps the whole buffer in memory.
      onUnread(hasUnread ? bytes.buffer.byteLength : 0);
    }
    if (!hasUnread || socket.destroyed) return;
    socket.pause();
    socket.unshift(bytes.subarray(length));
    if (length > 0) defer(resume);
  });
  return () => {
    if (isAtLimit) defer(resume);
    isAtLimit = false;
  };
}

/** Returns how many of these bytes can be parsed now, so that the limit is not exceeded. */
function nextLength(bytes: Buffer, maxInFlight: number, inFlight: number, isInBody: boolean): number {
  if (inFlight >= maxInFlight && !isInBody) return 0;
  // Too short for two requests to end in it, and for one that starts after the body of the last one.
  if (inFlight >= maxInFlight - 1) return Math.min(bytes.length, MIN_REQUEST_BYTES - 1);
  // At most two requests end in this: one that has started before, and one that is complete.
  const end = bytes.indexOf(HEADERS_END, MIN_REQUEST_BYTES - HEADERS_END.length);
  return end === -1 ? bytes.length : end + HEADERS_END.length;
}

/** Whether the body of a request has not arrived completely. */
function isReceiving(request: ConnectionState['lastRequest']): boolean {
  return request?.complete === false;
}
