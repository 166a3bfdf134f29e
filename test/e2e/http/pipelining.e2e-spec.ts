import { afterEach, describe, expect, it } from '@jest/globals';
import { send } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { gatewayFixture } from '../../support/fixtures.js';
import { startGateway } from '../../support/gateway.js';
import { connectRaw, sendRaw } from '../../support/raw-http.js';

const { sandbox, gateway } = await gatewayFixture(
  { acceptUnknownTasks: true, quotaPerSecond: 1000 },
  {
    QUOTA_PER_SECOND: '1000',
  },
);

afterEach(() => {
  sandbox.setFaults([]);
  sandbox.clearReceivedRequests();
});

const CLOSE = 'Connection: close\r\n\r\n';
const deleteTask = (id: number | string) => `DELETE /ingest-tasks/${id} HTTP/1.1\r\nHost: x\r\n`;
const statusesOf = (responses: string) => responses.match(/HTTP\/1\.1 \d+/g);
const idsOf = (responses: string) =>
  [...responses.matchAll(/"taskId":"([\w-]+)"/g)].map(([, id]) => Number(id));
const range = (length: number) => Array.from({ length }, (_, index) => index);

describe('a connection with pipelined requests', () => {
  it('has at most 16 requests in flight, and the others are served in order after them', async () => {
    sandbox.setFaults([{ fault: { kind: 'slow', ms: 1500 }, times: 16 }]);
    const requests = range(40)
      .map((id) => deleteTask(id))
      .join('\r\n');
    const responses = sendRaw(gateway.url, `${requests}${CLOSE}`);
    await eventually(() => sandbox.receivedRequests().length >= 16);
    // Responses of other connections prove that the gateway has had turns to read more.
    for (const _ of range(20)) await send(gateway.url, '/livez', { method: 'GET' });
    expect(sandbox.receivedRequests()).toHaveLength(16);
    expect(idsOf(await responses)).toEqual(range(40));
  });

  it('is served although its 17th request waits longer for the others than its headers may take', async () => {
    const shortTimeoutGateway = await startGateway(
      sandbox,
      { QUOTA_PER_SECOND: '1000' },
      { limits: { headersTimeoutMs: 300, requestTimeoutMs: 400, checkIntervalMs: 50 } },
    );
    sandbox.setFaults([{ fault: { kind: 'slow', ms: 1500 }, times: 16 }]);
    const requests = range(17)
      .map((id) => deleteTask(700 + id))
      .join('\r\n');
    expect(idsOf(await sendRaw(shortTimeoutGateway.url, `${requests}${CLOSE}`))).toEqual(
      range(17).map((id) => 700 + id),
    );
    await shortTimeoutGateway.close();
  });

  it.each([1, 2, 3, 5, 17, 61, 1000])(
    'is served in order when its bytes arrive in pieces of %d',
    async (size) => {
      const bytes = Buffer.from(
        `${range(40)
          .map((id) => `${deleteTask(`${size}${id}`)}Content-Length: 0\r\n`)
          .join('\r\n')}${CLOSE}`,
      );
      const { socket, closed } = connectRaw(gateway.url);
      socket.setNoDelay();
      for (let start = 0; start < bytes.length; start += size) {
        socket.write(bytes.subarray(start, start + size));
        if (size < 17) await new Promise((resolve) => setImmediate(resolve));
      }
      expect(idsOf(await closed)).toEqual(range(40).map((id) => Number(`${size}${id}`)));
    },
  );

  it('has at most 16 requests in flight when they have bodies', async () => {
    sandbox.setFaults([{ fault: { kind: 'slow', ms: 1500 }, times: 15 }]);
    const slow = range(15).map((id) => `${deleteTask(500 + id)}\r\n`);
    const withBody = range(30).map(
      () => 'POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello',
    );
    const responses = await sendRaw(
      gateway.url,
      `${[...slow, ...withBody].join('')}GET /livez HTTP/1.1\r\nHost: x\r\n${CLOSE}`,
    );
    expect(statusesOf(responses)).toEqual([
      ...range(15).map(() => 'HTTP/1.1 200'),
      ...range(30).map(() => 'HTTP/1.1 404'),
      'HTTP/1.1 200',
    ]);
  });

  it.each(['/docs/swagger-ui-bundle.js', '/metrics', '/openapi.json', '/problems', '/nowhere'])(
    'receives every response when the client reads late: %s',
    async (path) => {
      const { socket, closed } = connectRaw(gateway.url);
      socket.pause();
      const request = `GET ${path} HTTP/1.1\r\nHost: x\r\n`;
      socket.write(`${`${request}\r\n`.repeat(99)}${request}${CLOSE}`);
      for (const _ of range(20)) await send(gateway.url, '/livez', { method: 'GET' });
      socket.resume();
      const responses = await closed;
      expect(statusesOf(responses)).toHaveLength(100);
    },
  );

  it('is not served after a request with Connection: close', async () => {
    const responses = await sendRaw(gateway.url, `${deleteTask(9001)}${CLOSE}${deleteTask(9002)}${CLOSE}`);
    expect(idsOf(responses)).toEqual([9001]);
    expect(sandbox.receivedRequests().map(({ taskId }) => taskId)).toEqual(['9001']);
  });

  it('does not delay other clients while it sends empty lines', async () => {
    const { socket } = connectRaw(gateway.url);
    socket.write('\r\n'.repeat(500_000));
    for (const _ of range(20))
      expect((await send(gateway.url, '/livez', { method: 'GET' })).status).toBe(200);
    socket.destroy();
  });
});
