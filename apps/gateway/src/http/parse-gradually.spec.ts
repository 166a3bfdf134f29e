import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseGradually } from './parse-gradually.js';

let server: Server;
let client: Socket;
let urls: string[];

/** Starts a server that never responds, and connects a client. @returns the socket of the server */
beforeEach(async () => {
  urls = [];
  server = createServer(({ url }) => void urls.push(url!)).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  client.destroy();
  server.closeAllConnections();
  server.close();
});

async function accept(): Promise<Socket> {
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  return socket;
}

const requests = (count: number): string =>
  Array.from({ length: count }, (_, n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`).join('');
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the HTTP parser of Node.js', () => {
  it('has one listener of data on a socket, which parses synchronously', async () => {
    const socket = await accept();
    const listeners = socket.listeners('data');
    expect(listeners).toHaveLength(1);
    listeners[0]!.call(socket, Buffer.from(requests(2)));
    expect(urls).toEqual(['/0', '/1']);
  });

  it('receives bytes from this listener only', async () => {
    const socket = await accept();
    const [parse] = socket.listeners('data') as ((bytes: Buffer) => void)[];
    socket.off('data', parse!);
    const data = new Promise<Buffer>((resolve) => socket.on('data', resolve));
    client.write(requests(1));
    expect(String(await data)).toBe(requests(1));
    for (let n = 0; n < 10; n += 1) await turn();
    expect(urls).toEqual([]);
  });
});

describe('a connection that is parsed gradually', () => {
  it('throws when the parser has no listener on the socket', async () => {
    const socket = await accept();
    socket.removeAllListeners('data');
    const options = {
      maxInFlight: 2,
      state: () => ({ inFlight: 0, lastRequest: undefined }),
      onMalformed: () => {},
      onUnread: () => {},
      defer: () => {},
    };
    expect(() => parseGradually(socket, options)).toThrow('another HTTP parser');
  });

  it('has at most maxInFlight requests, continues when one ends, and reports the memory of unread bytes', async () => {
    const socket = await accept();
    const unread: number[] = [];
    let ended = 0;
    const requestEnded = parseGradually(socket, {
      maxInFlight: 2,
      state: () => ({ inFlight: urls.length - ended, lastRequest: undefined }),
      onMalformed: () => {},
      onUnread: (bytes) => unread.push(bytes),
      defer: (resume) => void setImmediate(resume),
    });
    client.write(requests(3));
    while (urls.length < 2) await turn();
    for (let n = 0; n < 10; n += 1) await turn();
    expect(urls).toEqual(['/0', '/1']);
    expect(unread.at(-1)).toBe(requests(3).length);
    ended = 1;
    requestEnded();
    while (urls.length < 3) await turn();
    expect(unread.at(-1)).toBe(0);
  });
});
