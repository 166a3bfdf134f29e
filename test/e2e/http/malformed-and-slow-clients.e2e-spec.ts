import type { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { send, stopTask } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { connectRaw, sendRaw } from '../../support/raw-http.js';
import { sandboxFixture } from '../../support/fixtures.js';

const sandbox = await sandboxFixture({ acceptUnknownTasks: true, quotaPerSecond: 1000 });

beforeEach(() => sandbox.clearReceivedRequests());

const HEAD = 'DELETE /ingest-tasks/a HTTP/1.1\r\nHost: x\r\n';
const CLOSE = 'Connection: close\r\n\r\n';

describe('a malformed or ambiguous request', () => {
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
    ['chunked before another coding', `${HEAD}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['an unknown coding', `${HEAD}Transfer-Encoding: xchunked\r\n\r\n`],
    ['a blank before the colon', `${HEAD}Content-Length : 0\r\n${CLOSE}`],
    ['lines that end in LF alone', 'DELETE /ingest-tasks/a HTTP/1.1\nHost: x\n\n'],
    ['one line that ends in LF alone', `${HEAD}A: b\nC: d\r\n${CLOSE}`],
    ['a CR alone', `${HEAD}A: b\rC: d\r\n${CLOSE}`],
    ['a folded header', `${HEAD}A: b\r\n c\r\n${CLOSE}`],
    ['a NUL in the path', `DELETE /ingest-tasks/a\0 HTTP/1.1\r\nHost: x\r\n${CLOSE}`],
    ['an encoded NUL in the path', `DELETE /ingest-tasks/a%00 HTTP/1.1\r\nHost: x\r\n${CLOSE}`],
    ['a blank after the version', `DELETE /ingest-tasks/a HTTP/1.1 \r\nHost: x\r\n${CLOSE}`],
    ['two spaces before the target', `DELETE  /ingest-tasks/a HTTP/1.1\r\nHost: x\r\n${CLOSE}`],
    ['two spaces before the version', `DELETE /ingest-tasks/a  HTTP/1.1\r\nHost: x\r\n${CLOSE}`],
    ['a tab in the request line', `DELETE\t/ingest-tasks/a HTTP/1.1\r\nHost: x\r\n${CLOSE}`],
    ['no host', `DELETE /ingest-tasks/a HTTP/1.1\r\n${CLOSE}`],
    ['two hosts', `${HEAD}Host: y\r\n${CLOSE}`],
    ['a list of hosts', `DELETE /ingest-tasks/a HTTP/1.1\r\nHost: a, b\r\n${CLOSE}`],
    ['a host with user information', `DELETE /ingest-tasks/a HTTP/1.1\r\nHost: a@b\r\n${CLOSE}`],
    ['another host in the target', `DELETE http://y/ingest-tasks/a HTTP/1.1\r\nHost: x\r\n${CLOSE}`],
    ['two keys', `${HEAD}Authorization: Bearer a\r\nAuthorization: Bearer b\r\n${CLOSE}`],
    ['two codings', `${HEAD}Transfer-Encoding: gzip, chunked\r\n${CLOSE}0\r\n\r\n`],
    [
      'two lines of codings',
      `${HEAD}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n${CLOSE}0\r\n\r\n`,
    ],
    ['chunks of HTTP/1.0', `DELETE /ingest-tasks/a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['HTTP/0.9', `DELETE /ingest-tasks/a HTTP/0.9\r\nHost: x\r\n${CLOSE}`],
    ['no version', 'DELETE /ingest-tasks/a\r\n\r\n'],
    ['HTTP/2.0', `DELETE /ingest-tasks/a HTTP/2.0\r\nHost: x\r\n${CLOSE}`],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a TLS ClientHello', Buffer.from('160301005a010000560303', 'hex')],
  ])('is rejected with 400 and a problem, and not sent: %s', async (_, bytes) => {
    const response = await sendRaw(gateway.url, bytes);
    expect(response).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(response.toLowerCase()).toContain('content-type: application/problem+json');
    expect(response).toContain('"code":"invalid-request"');
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('is rejected with 431 when its trailers are too large', async () => {
    const trailer = `X: ${'a'.repeat(20_000)}`;
    const response = await sendRaw(
      gateway.url,
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n${trailer}\r\n\r\n`,
    );
    expect(response).toMatch(/^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
    expect(response).toContain('"code":"request-header-fields-too-large"');
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it.each([
    ['a parent folder', '/metrics/../ingest-tasks/a', 404],
    ['an encoded parent folder', '/metrics/%2e%2e/ingest-tasks/a', 404],
    ['a backslash', '\\ingest-tasks\\a', 400],
  ])('is not normalized to another path: %s', async (_, path, status) => {
    const response = await sendRaw(gateway.url, `DELETE ${path} HTTP/1.1\r\nHost: x\r\n${CLOSE}`);
    expect(response.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('is accepted with an absolute target, which HTTP allows, and goes to the configured upstream', async () => {
    const target = 'http://evil.example/ingest-tasks/absolute';
    const response = await sendRaw(
      gateway.url,
      `DELETE ${target} HTTP/1.1\r\nHost: evil.example\r\n${CLOSE}`,
    );
    expect(response).toMatch(/^HTTP\/1\.1 200 /);
    expect(sandbox.receivedRequests().map(({ taskId, headers }) => [taskId, headers['host']])).toEqual([
      ['absolute', new URL(sandbox.httpsUrl).host],
    ]);
  });

  it('is rejected with 400 and a problem when its method is CONNECT, and the connection is closed', async () => {
    const hidden = 'DELETE /ingest-tasks/hidden HTTP/1.1\r\nHost: x\r\n\r\n';
    const response = await sendRaw(
      gateway.url,
      `CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n${hidden}`,
    );
    expect(response.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
    expect(response).toContain('"code":"invalid-request"');
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  const SEVERAL_SPACES = `DELETE  /ingest-tasks/a HTTP/1.1\r\nHost: x\r\n${CLOSE}`;

  it.each<[string, string[]]>([
    ['byte by byte', SEVERAL_SPACES.split('')],
    ['between the two spaces', ['DELETE ', SEVERAL_SPACES.slice('DELETE '.length)]],
    ['after an empty line', ['\r\n', SEVERAL_SPACES]],
    ['after another request', [`GET /livez HTTP/1.1\r\nHost: x\r\n\r\n${SEVERAL_SPACES}`]],
    ['after another request, separately', ['GET /livez HTTP/1.1\r\nHost: x\r\n\r\n', SEVERAL_SPACES]],
  ])('is rejected with 400, and not sent: several spaces in the request line, %s', async (_, parts) => {
    const { socket, closed } = connectRaw(gateway.url);
    for (const part of parts) {
      socket.write(part);
      await sleep(2);
    }
    const received = await closed;
    expect(received.match(/HTTP\/1\.1 \d+/g)!.at(-1)).toBe('HTTP/1.1 400');
    expect(received).toContain('"code":"invalid-request"');
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('is not a request with several spaces in a header or in its body', async () => {
    const { socket, closed } = connectRaw(gateway.url);
    const head = 'GET /livez HTTP/1.1\r\nHost: x\r\nA: b  c\r\n';
    // The first part ends in the body or in the head of the next request.
    for (const parts of [
      [`${head}Content-Length: 8\r\n\r\n`, 'a  b', 'c  d'],
      [`${head}Content-Length: 8\r\n\r\na  b`, `c  d${head.slice(0, 30)}`, `${head.slice(30)}\r\n`],
      [head.slice(0, -5), `  ${head.slice(-5)}\r\n`],
    ])
      for (const part of parts) {
        socket.write(part);
        await sleep(20);
      }
    socket.end();
    expect((await closed).match(/HTTP\/1\.1 \d+/g)).toEqual(Array(4).fill('HTTP/1.1 200'));
  });

  it('is served without the Upgrade or Expect header that it contains', async () => {
    for (const header of ['Upgrade: h2c\r\nConnection: Upgrade', 'Expect: nonsense']) {
      const response = await sendRaw(gateway.url, `GET /livez HTTP/1.1\r\nHost: x\r\n${header}\r\n${CLOSE}`);
      expect(response).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    }
  });

  it.each(['undefined', '', 'text', 'application/json; charset'])(
    'is a valid stop without a body when its Content-Type is "%s"',
    async (type) => {
      const response = await send(gateway.url, `/ingest-tasks/type-${type.length}`, {
        headers: { 'content-type': type },
      });
      expect(response).toMatchObject({ status: 200, body: { status: 'stopped' } });
    },
  );

  it('is not executed when it is the body of another request', async () => {
    const hidden = 'DELETE /ingest-tasks/hidden HTTP/1.1\r\nHost: x\r\n\r\n';
    const response = await sendRaw(
      gateway.url,
      `${HEAD}Content-Length: ${hidden.length}\r\nConnection: close\r\n\r\n${hidden}`,
    );
    expect(response.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400']);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('is served in order when a client pipelines requests', async () => {
    const ids = ['one', 'two', 'three'];
    const requests = ids.map((id) => `DELETE /ingest-tasks/${id} HTTP/1.1\r\nHost: x\r\n`);
    const response = await sendRaw(gateway.url, `${requests.join('\r\n')}${CLOSE}`);
    expect([...response.matchAll(/"taskId":"(\w+)"/g)].map(([, id]) => id)).toEqual(ids);
  });

  it.each([
    ['GET /livez', 'HTTP/1.1 200'],
    ['GET /metrics', 'HTTP/1.1 200'],
    ['DELETE /ingest-tasks/half-closed', 'HTTP/1.1 200'],
    ['DELETE /nowhere', 'HTTP/1.1 404'],
  ])('gets its response when the client closes its side after it: %s', async (line, status) => {
    const request = `${line} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const responses = await sendRaw(gateway.url, request.repeat(3), { halfClose: true });
    expect(responses.match(/HTTP\/1\.1 \d+/g)).toEqual([status, status, status]);
  });

  it('is not echoed as executable content', async () => {
    const script = '<script>alert(1)</script>';
    const path = `/ingest-tasks/x?region=${encodeURIComponent(script)}`;
    const { text, headers } = await send(gateway.url, path);
    expect(text).not.toContain('script');
    // The response contains the request id of the caller, but only as JSON with nosniff.
    const withRequestId = await send(gateway.url, path, { headers: { 'x-request-id': script } });
    expect(withRequestId.body).toMatchObject({ instance: '%3Cscript%3Ealert(1)%3C%2Fscript%3E' });
    expect(headers['content-type']).toBe('application/problem+json');
    expect(headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('a slow client', () => {
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

  it('is disconnected without a response when it sends no byte', async () => {
    expect(await sendRaw(gateway.url, '')).toBe('');
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it.each([
    ['its headers', `${HEAD}A: `],
    ['its body', `${HEAD}Content-Length: 10\r\n\r\nabc`],
    ['its chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`],
  ])('receives 408 and Connection: close when %s do not arrive in time', async (_, bytes) => {
    const response = await sendRaw(gateway.url, bytes);
    expect(response).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    expect(response.toLowerCase()).toContain('\r\nconnection: close\r\n');
    expect(response).toContain('"code":"request-timeout"');
    expect(response.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('receives no second response when its body does not arrive after the first', async () => {
    const response = await sendRaw(
      gateway.url,
      'GET /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc',
    );
    expect(response.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 404']);
  });

  it('is disconnected when it sends its headers byte by byte', async () => {
    const { socket, closed } = connectRaw(gateway.url);
    const sendByteByByte = setInterval(() => socket.write('a'), 20);
    socket.write(`${HEAD}A: `);
    await closed;
    clearInterval(sendByteByByte);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('is disconnected when its connection stays idle', async () => {
    expect(await sendRaw(gateway.url, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('an idle connection', () => {
  it('stays open for KEEP_ALIVE_TIMEOUT_MS, which responses announce, and a little longer', async () => {
    const gateway = await startGateway(sandbox, { KEEP_ALIVE_TIMEOUT_MS: '1000' });
    const { socket, closed } = connectRaw(gateway.url);
    const request = 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n';
    socket.write(request);
    // A client that uses the connection right at the end of the announced time.
    setTimeout(() => socket.write(request), 1000);
    const responses = await closed;
    expect(responses.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
    expect(responses.match(/\r\nKeep-Alive: timeout=1\r\n/g)).toHaveLength(2);
    await gateway.close();
  });
});

describe('a client that does not read its responses', () => {
  it('is disconnected, and other clients are served in the meantime', async () => {
    const gateway = await startGateway(
      sandbox,
      { QUOTA_PER_SECOND: '1000' },
      { limits: { socketTimeoutMs: 2000 } },
    );
    const { socket } = connectRaw(gateway.url);
    socket.pause();
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(2000));
    // The client does not see the end of the connection, so the test asks the gateway.
    await eventually(async () => {
      expect((await stopTask(gateway.url, 'other-client', '', { connection: 'close' })).status).toBe(200);
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
