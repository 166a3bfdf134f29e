import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Sandbox } from '../sandbox.js';
import { signedStop, type StopCall } from './signed-stop.js';

/** Everything received on a connection, and how it ended: `FIN`, or the system's error code. */
export interface Exchange {
  readonly text: string;
  readonly bytes: Buffer;
  readonly ending: string;
}

/** Opens a raw connection: no parser, no retry. */
export async function open(sandbox: Sandbox, tls = false): Promise<Socket> {
  const port = Number(new URL(tls ? sandbox.httpsUrl : sandbox.httpUrl).port);
  const socket = tls
    ? connectTls({ port, host: '127.0.0.1', ca: sandbox.ca, servername: 'localhost' })
    : connect(port, '127.0.0.1');
  await once(socket, tls ? 'secureConnect' : 'connect');
  return socket;
}

/** Returns the bytes of a StopStreamIngest call, signed with the sandbox's credentials; `Connection: close` ends it with FIN. */
export function wireStop(
  sandbox: Sandbox,
  call: Partial<StopCall> = {},
  changes: Record<string, string> = {},
): string {
  const [credentials] = sandbox.credentials;
  if (!credentials) throw new Error('The sandbox has no credentials.');
  const { headers, body } = signedStop({ credentials, ...call });
  const all = {
    ...headers,
    connection: 'close',
    'content-length': String(Buffer.byteLength(body)),
    ...changes,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST / HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/** Sends the bytes and reads until the connection ends. */
export async function exchange(socket: Socket, bytes: string): Promise<Exchange> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<string>((resolve) => {
    socket.once('end', () => resolve('FIN'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  socket.write(bytes);
  const ending = await ended;
  socket.destroy();
  const all = Buffer.concat(chunks);
  return { text: all.toString(), bytes: all, ending };
}

/** Sends one signed stop call on a new connection. */
export async function stop(
  sandbox: Sandbox,
  call: Partial<StopCall> & { tls?: boolean } = {},
): Promise<Exchange> {
  return exchange(await open(sandbox, call.tls), wireStop(sandbox, call));
}

/** Returns the error code of a response, or `OK`. */
export function codeIn({ text }: Pick<Exchange, 'text'>): string {
  const { Response } = JSON.parse(bodyOf(text)) as { Response: { Error?: { Code: string } } };
  return Response.Error?.Code ?? 'OK';
}

export function bodyOf(text: string): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

/** Waits for a condition; only the test's time limit ends the wait. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
