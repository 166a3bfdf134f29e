import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { send } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { type Gateway, startGateway } from '../../support/gateway.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let sandbox: Sandbox;
let gateway: Gateway;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
  gateway = await startGateway(
    sandbox,
    { QUOTA_PER_SECOND: '1000' },
    {
      limits: { headersTimeoutMs: 500, requestTimeoutMs: 600, checkIntervalMs: 50 },
    },
  );
});

afterAll(async () => {
  await gateway.close();
  await sandbox.close();
});

beforeEach(() => {
  gateway.logs.length = 0;
});

interface RawResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Record<string, unknown>;
}

/** Sends bytes and returns everything that comes back until the gateway closes the connection. */
function exchange(...pieces: string[]): Promise<string> {
  const { hostname, port } = new URL(gateway.url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
    for (const piece of pieces) socket.write(piece);
  });
}

function parse(response: string): RawResponse {
  const [head = '', body = ''] = response.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line) => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 2),
  ]);
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: JSON.parse(body) as Record<string, unknown>,
  };
}

const entries = () => gateway.logs.filter(({ event }) => event === 'request-malformed');

/** The count of responses to malformed HTTP with this status. */
async function counted(status: number): Promise<number> {
  const { text } = await send(gateway.url, '/metrics', { method: 'GET' });
  const series = `http_server_request_duration_seconds_count{method="other",route="unmatched",status="${status}"} `;
  return Number(text.split(series)[1]?.split('\n')[0]);
}

const HEAD = 'DELETE /ingest-tasks/secret-task HTTP/1.1\r\nHost: x\r\n';

describe('malformed HTTP', () => {
  it.each([
    ['a line that is no header', 400, 'invalid-request', 'HPE_INVALID_HEADER_TOKEN', `${HEAD}Broken\r\n\r\n`],
    [
      'headers over the limit',
      431,
      'request-header-fields-too-large',
      'HPE_HEADER_OVERFLOW',
      `${HEAD}A: ${'a'.repeat(40_000)}\r\n\r\n`,
    ],
    ['headers that do not arrive in time', 408, 'request-timeout', 'ERR_HTTP_REQUEST_TIMEOUT', `${HEAD}A: `],
  ])('receives a problem, is counted and logged: %s', async (_, status, code, reason, bytes) => {
    const before = await counted(status);
    const response = parse(await exchange(bytes));
    expect(response).toMatchObject({
      status,
      headers: {
        'content-type': 'application/problem+json',
        'x-content-type-options': 'nosniff',
        'cache-control': 'no-store',
        connection: 'close',
      },
      body: { status, code, outcome: 'not-sent' },
    });
    const requestId = response.headers['x-request-id'];
    expect(requestId).toMatch(UUID);
    expect(entries()).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        event: 'request-malformed',
        requestId,
        status,
        code,
        reason,
        address: '127.0.0.1',
        msg: 'rejected malformed HTTP',
      },
    ]);
    expect(await counted(status)).toBe(before + 1);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('closes the connection without a response when a request is in flight on it, and is counted and logged', async () => {
    sandbox.setFaults([{ fault: { kind: 'slow', ms: 1000 }, times: 1, taskId: 'in-flight' }]);
    const before = await counted(400);
    expect(await exchange('DELETE /ingest-tasks/in-flight HTTP/1.1\r\nHost: x\r\n\r\nGARBAGE\r\n\r\n')).toBe(
      '',
    );
    expect(entries()).toEqual([expect.objectContaining({ status: 400, reason: 'HPE_INVALID_METHOD' })]);
    expect(await counted(400)).toBe(before + 1);
    await eventually(() => gateway.logs.some(({ taskId }) => taskId === 'in-flight'));
    sandbox.clearReceivedRequests();
  });

  it('counts a request once whose body does not arrive in time: under its own route', async () => {
    const response = parse(await exchange(`${HEAD}Content-Length: 10\r\n\r\nabc`));
    expect(response).toMatchObject({ status: 408, body: { code: 'request-timeout' } });
    expect(response.headers['connection']).toBe('close');
    expect(entries()).toEqual([]);
    await eventually(() => gateway.logs.some(({ result }) => result === 'request-timeout'));
    const { text } = await send(gateway.url, '/metrics', { method: 'GET' });
    expect(text).toContain(
      'http_server_request_duration_seconds_count{method="DELETE",route="/ingest-tasks/:id",status="408"} 1\n',
    );
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it.each([
    ['is reset', true],
    ['sends no byte', false],
  ])('is not what a connection is that %s', async (_, resets) => {
    const before = [await counted(400), await counted(408)];
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    if (resets) {
      socket.write(`${HEAD}A: `, () => socket.resetAndDestroy());
    }
    await closed;
    await exchange(`${HEAD}Broken\r\n\r\n`);
    expect(entries()).toHaveLength(1);
    expect([await counted(400), await counted(408)]).toEqual([before[0]! + 1, before[1]]);
  });
});
