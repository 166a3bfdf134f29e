import { once } from 'node:events';
import { connect, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../apps/sandbox/src/sandbox.js';
import { send, stop } from './support/client.js';
import { eventually } from './support/eventually.js';
import { type Gateway, startGateway, variablesFor } from './support/gateway.js';
import { GatewayProcess } from './support/process.js';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 1000 });
});

afterAll(() => sandbox.close());

beforeEach(() => sandbox.clearReceivedRequests());

/** A connection that says what it is told to, and notes what comes back. */
async function attacker(
  url: string,
): Promise<{ socket: Socket; heard: () => string; ended: Promise<unknown> }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.on('error', () => {});
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  return { socket, heard: () => answer, ended };
}

/** What is answered to bytes, until the gateway ends the connection. */
async function answerTo(url: string, bytes: string | Buffer): Promise<string> {
  const { socket, heard, ended } = await attacker(url);
  socket.write(bytes);
  await ended;
  return heard();
}

const HEAD = 'DELETE /ingest-tasks/a HTTP/1.1\r\nHost: x\r\n';
const CLOSE = 'Connection: close\r\n\r\n';

describe('what is not one plain request', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startGateway(sandbox, { QUOTA_PER_SECOND: '1000' });
  });

  afterAll(() => gateway.close());

  it.each<[string, string | Buffer]>([
    ['two lengths', `${HEAD}Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello`],
    ['the same length twice', `${HEAD}Content-Length: 0\r\nContent-Length: 0\r\n${CLOSE}`],
    ['a length that is a list', `${HEAD}Content-Length: 0, 0\r\n${CLOSE}`],
    ['a length and chunks', `${HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['chunks inside something else', `${HEAD}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['a blank before the colon', `${HEAD}Content-Length : 0\r\n${CLOSE}`],
    ['lines that end in LF alone', 'DELETE /ingest-tasks/a HTTP/1.1\nHost: x\n\n'],
    ['one line that ends in LF alone', `${HEAD}A: b\nC: d\r\n${CLOSE}`],
    ['a CR alone', `${HEAD}A: b\rC: d\r\n${CLOSE}`],
    ['a folded line', `${HEAD}A: b\r\n c\r\n${CLOSE}`],
    ['a NUL in the path', `DELETE /ingest-tasks/a\0 HTTP/1.1\r\nHost: x\r\n${CLOSE}`],
    ['an encoded NUL in the path', `DELETE /ingest-tasks/a%00 HTTP/1.1\r\nHost: x\r\n${CLOSE}`],
    ['no host', `DELETE /ingest-tasks/a HTTP/1.1\r\n${CLOSE}`],
    ['two hosts', `${HEAD}Host: y\r\n${CLOSE}`],
    ['a head that is too large', `${HEAD}A: ${'a'.repeat(20_000)}\r\n${CLOSE}`],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a hello of TLS', Buffer.from('160301005a010000560303', 'hex')],
  ])('is refused as 400 with a problem, and nothing is sent: %s', async (_, bytes) => {
    const answer = await answerTo(gateway.url, bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer.toLowerCase()).toContain('content-type: application/problem+json');
    expect(answer).toContain('"code":"invalid-request"');
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it.each([
    ['two slashes', '//ingest-tasks/a'],
    ['two slashes within', '/ingest-tasks//a'],
    ['a step up', '/metrics/../ingest-tasks/a'],
    ['an encoded step up', '/metrics/%2e%2e/ingest-tasks/a'],
    ['a backslash', '\\ingest-tasks\\a'],
  ])('is not tidied into a path that it is not: %s', async (_, path) => {
    const answer = await answerTo(gateway.url, `DELETE ${path} HTTP/1.1\r\nHost: x\r\n${CLOSE}`);
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('is a request all the same when its target is absolute, as HTTP demands, and no other host is asked', async () => {
    const target = 'http://evil.example/ingest-tasks/absolute';
    const answer = await answerTo(gateway.url, `DELETE ${target} HTTP/1.1\r\nHost: evil.example\r\n${CLOSE}`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(sandbox.receivedRequests().map(({ taskId, headers }) => [taskId, headers['host']])).toEqual([
      ['absolute', new URL(sandbox.httpsUrl).host],
    ]);
  });

  it('CONNECT is hung up on: this is no proxy', async () => {
    expect(await answerTo(gateway.url, 'CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('');
  });

  it('an upgrade and an expectation are ignored', async () => {
    for (const header of ['Upgrade: h2c\r\nConnection: Upgrade', 'Expect: nonsense']) {
      const answer = await answerTo(gateway.url, `GET /livez HTTP/1.1\r\nHost: x\r\n${header}\r\n${CLOSE}`);
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    }
  });

  it('a request hidden in the body of another one is no request', async () => {
    const hidden = 'DELETE /ingest-tasks/hidden HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await answerTo(
      gateway.url,
      `${HEAD}Content-Length: ${hidden.length}\r\nConnection: close\r\n\r\n${hidden}`,
    );
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('requests that come without waiting for answers are answered in their order', async () => {
    const ids = ['one', 'two', 'three'];
    const requests = ids.map((id) => `DELETE /ingest-tasks/${id} HTTP/1.1\r\nHost: x\r\n`);
    const answer = await answerTo(gateway.url, `${requests.join('\r\n')}${CLOSE}`);
    expect([...answer.matchAll(/"taskId":"(\w+)"/g)].map(([, id]) => id)).toEqual(ids);
  });

  it('the refusal of garbage is never taken for the answer of the call before it', async () => {
    sandbox.setFaults([{ fault: { kind: 'slow', ms: 2000 }, times: 1, taskId: 'before-garbage' }]);
    const answer = await answerTo(
      gateway.url,
      'DELETE /ingest-tasks/before-garbage HTTP/1.1\r\nHost: x\r\n\r\nGARBAGE\r\n\r\n',
    );
    expect(answer).toBe('');
    // It was a call all the same, and runs to its end.
    await eventually(() => gateway.logs.some(({ taskId }) => taskId === 'before-garbage'));
    expect(sandbox.receivedRequests()).toHaveLength(1);
  });

  it('echoes nothing of it to where it could be run', async () => {
    const script = '<script>alert(1)</script>';
    const path = `/ingest-tasks/x?region=${encodeURIComponent(script)}`;
    const { text, headers } = await send(gateway.url, path);
    expect(text).not.toContain('script');
    // What a caller may choose, its request id, stands in JSON that nobody may take for anything else.
    const named = await send(gateway.url, path, { headers: { 'x-request-id': script } });
    expect(named.body).toMatchObject({ instance: script });
    expect(headers['content-type']).toBe('application/problem+json');
    expect(headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('who is slow on purpose', () => {
  const limits = { headMs: 2000, requestMs: 2500, lookEveryMs: 100, idleMs: 1000, stalledMs: 4000 };
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startGateway(sandbox, { QUOTA_PER_SECOND: '1000' }, {}, { limits });
  });

  afterAll(() => gateway.close());

  it.each([
    ['says nothing', ''],
    ['does not end its head', `${HEAD}A: `],
    ['does not end its body', `${HEAD}Content-Length: 10\r\n\r\nabc`],
    ['does not end its chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`],
    ['has a body without an end', `${HEAD}Transfer-Encoding: xchunked\r\n\r\n`],
  ])('is hung up on, when it %s', async (_, bytes) => {
    const answer = await answerTo(gateway.url, bytes);
    expect(answer === '' || answer.startsWith('HTTP/1.1 400 ')).toBe(true);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('is hung up on, when it keeps sending its head one byte at a time', async () => {
    const { socket, ended } = await attacker(gateway.url);
    const dripping = setInterval(() => socket.write('a'), 20);
    socket.write(`${HEAD}A: `);
    await ended;
    clearInterval(dripping);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('is hung up on, when it keeps its connection without a request', async () => {
    expect(await answerTo(gateway.url, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('who does not read what it asked for', () => {
  it('is hung up on, and others are answered meanwhile', async () => {
    const gateway = await startGateway(
      sandbox,
      { QUOTA_PER_SECOND: '1000' },
      {},
      { limits: { stalledMs: 2000 } },
    );
    const { socket } = await attacker(gateway.url);
    socket.pause();
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2000));
    // It does not see the end either; the gateway knows.
    await eventually(async () => {
      expect((await stop(gateway.url, 'beside', '', { connection: 'close' })).status).toBe(200);
      return (await connectionsOf(gateway)) === 0;
    });
    socket.destroy();
    await gateway.close();
  });
});

async function connectionsOf({ app }: Gateway): Promise<number> {
  const server = app.getHttpServer() as Server;
  return promisify(server.getConnections.bind(server))();
}

describe('10,000 connections that say nothing', () => {
  it('keep nobody out: the oldest of them gives way', async () => {
    const gateway = new GatewayProcess({ ...variablesFor(sandbox), TRTC_ENDPOINT: sandbox.httpUrl });
    const url = await gateway.url();
    const { hostname, port } = new URL(url);
    const idle: Socket[] = [];
    try {
      for (let n = 0; n < 10_000; n += 100) {
        const batch = Array.from({ length: 100 }, () => {
          const socket = connect(Number(port), hostname);
          socket.on('error', () => {});
          return socket;
        });
        idle.push(...batch);
        await Promise.all(
          batch.map(
            (socket) => new Promise((resolve) => socket.once('connect', resolve).once('close', resolve)),
          ),
        );
      }
      expect((await stop(url, 'a-good-call')).status).toBe(200);
      expect((await send(url, '/readyz', { method: 'GET' })).status).toBe(200);
    } finally {
      for (const socket of idle) socket.destroy();
      gateway.kill('SIGKILL');
      await gateway.finished;
    }
  });
});
