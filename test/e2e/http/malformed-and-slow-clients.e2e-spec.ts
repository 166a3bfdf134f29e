import { once } from 'node:events';
import { connect, type Server, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { send, stopTask } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { type Gateway, startGateway, variablesFor } from '../../support/gateway.js';
import { GatewayProcess } from '../../support/process.js';

let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 1000 });
});

afterAll(() => sandbox.close());

beforeEach(() => sandbox.clearReceivedRequests());

/** A connection that says what it is told to, and notes what comes back. */
async function rawClient(
  url: string,
): Promise<{ socket: Socket; received: () => string; ended: Promise<unknown> }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.on('error', () => {});
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await once(socket, 'connect');
  return { socket, received: () => answer, ended };
}

/** What is answered to bytes, until the gateway ends the connection. */
async function responseTo(url: string, bytes: string | Buffer): Promise<string> {
  const { socket, received, ended } = await rawClient(url);
  socket.write(bytes);
  await ended;
  return received();
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
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a hello of TLS', Buffer.from('160301005a010000560303', 'hex')],
  ])('is refused as 400 with a problem, and nothing is sent: %s', async (_, bytes) => {
    const answer = await responseTo(gateway.url, bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer.toLowerCase()).toContain('content-type: application/problem+json');
    expect(answer).toContain('"code":"invalid-request"');
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it.each([
    ['two slashes', '//ingest-tasks/a', 404],
    ['two slashes within', '/ingest-tasks//a', 404],
    ['a step up', '/metrics/../ingest-tasks/a', 404],
    ['an encoded step up', '/metrics/%2e%2e/ingest-tasks/a', 404],
    ['a backslash', '\\ingest-tasks\\a', 400],
  ])('is not tidied into a path that it is not: %s', async (_, path, status) => {
    const answer = await responseTo(gateway.url, `DELETE ${path} HTTP/1.1\r\nHost: x\r\n${CLOSE}`);
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('is a request all the same when its target is absolute, as HTTP demands, and no other host is asked', async () => {
    const target = 'http://evil.example/ingest-tasks/absolute';
    const answer = await responseTo(
      gateway.url,
      `DELETE ${target} HTTP/1.1\r\nHost: evil.example\r\n${CLOSE}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(sandbox.receivedRequests().map(({ taskId, headers }) => [taskId, headers['host']])).toEqual([
      ['absolute', new URL(sandbox.httpsUrl).host],
    ]);
  });

  it('CONNECT is hung up on: this is no proxy', async () => {
    expect(await responseTo(gateway.url, 'CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('');
  });

  it('an upgrade and an expectation are ignored', async () => {
    for (const header of ['Upgrade: h2c\r\nConnection: Upgrade', 'Expect: nonsense']) {
      const answer = await responseTo(gateway.url, `GET /livez HTTP/1.1\r\nHost: x\r\n${header}\r\n${CLOSE}`);
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    }
  });

  it('a request hidden in the body of another one is no request', async () => {
    const hidden = 'DELETE /ingest-tasks/hidden HTTP/1.1\r\nHost: x\r\n\r\n';
    const answer = await responseTo(
      gateway.url,
      `${HEAD}Content-Length: ${hidden.length}\r\nConnection: close\r\n\r\n${hidden}`,
    );
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('requests that come without waiting for answers are answered in their order', async () => {
    const ids = ['one', 'two', 'three'];
    const requests = ids.map((id) => `DELETE /ingest-tasks/${id} HTTP/1.1\r\nHost: x\r\n`);
    const answer = await responseTo(gateway.url, `${requests.join('\r\n')}${CLOSE}`);
    expect([...answer.matchAll(/"taskId":"(\w+)"/g)].map(([, id]) => id)).toEqual(ids);
  });

  it('the refusal of garbage is never taken for the answer of the call before it', async () => {
    sandbox.setFaults([{ fault: { kind: 'slow', ms: 2000 }, times: 1, taskId: 'before-garbage' }]);
    const answer = await responseTo(
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
    expect(named.body).toMatchObject({ instance: '%3Cscript%3Ealert(1)%3C%2Fscript%3E' });
    expect(headers['content-type']).toBe('application/problem+json');
    expect(headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('who is slow on purpose', () => {
  const limits = {
    headersTimeoutMs: 2000,
    requestTimeoutMs: 2500,
    checkIntervalMs: 100,
    keepAliveTimeoutMs: 1000,
    socketTimeoutMs: 4000,
  };
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startGateway(sandbox, { QUOTA_PER_SECOND: '1000' }, { limits });
  });

  afterAll(() => gateway.close());

  it('is closed without a response when it sends no byte', async () => {
    expect(await responseTo(gateway.url, '')).toBe('');
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it.each([
    ['its headers', `${HEAD}A: `],
    ['its body', `${HEAD}Content-Length: 10\r\n\r\nabc`],
    ['its chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`],
  ])('receives 408 and Connection: close when %s do not arrive in time', async (_, bytes) => {
    const response = await responseTo(gateway.url, bytes);
    expect(response).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(response.toLowerCase()).toContain('\r\nconnection: close\r\n');
    expect(response).toContain('"code":"request-timeout"');
    expect(response.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('is rejected with 400 when its body has no end', async () => {
    const response = await responseTo(gateway.url, `${HEAD}Transfer-Encoding: xchunked\r\n\r\n`);
    expect(response).toMatch(/^HTTP\/1\.1 400 /);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('receives no second response when its body does not arrive after the first', async () => {
    const response = await responseTo(
      gateway.url,
      'GET /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc',
    );
    expect(response.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 404']);
  });

  it('is hung up on, when it keeps sending its head one byte at a time', async () => {
    const { socket, ended } = await rawClient(gateway.url);
    const sendByteByByte = setInterval(() => socket.write('a'), 20);
    socket.write(`${HEAD}A: `);
    await ended;
    clearInterval(sendByteByByte);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('is hung up on, when it keeps its connection without a request', async () => {
    expect(await responseTo(gateway.url, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });
});

describe('who does not read what it asked for', () => {
  it('is hung up on, and others are answered meanwhile', async () => {
    const gateway = await startGateway(
      sandbox,
      { QUOTA_PER_SECOND: '1000' },
      { limits: { socketTimeoutMs: 2000 } },
    );
    const { socket } = await rawClient(gateway.url);
    socket.pause();
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2000));
    // It does not see the end either; the gateway knows.
    await eventually(async () => {
      expect((await stopTask(gateway.url, 'beside', '', { connection: 'close' })).status).toBe(200);
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
      expect((await stopTask(url, 'a-good-call')).status).toBe(200);
      expect((await send(url, '/readyz', { method: 'GET' })).status).toBe(200);
    } finally {
      for (const socket of idle) socket.destroy();
      gateway.kill('SIGKILL');
      await gateway.finished;
    }
  });
});
