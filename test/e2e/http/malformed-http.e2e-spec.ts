import { beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../support/eventually.js';
import { readMetric } from '../../support/metrics.js';
import { connectRaw, parseRawResponse, sendRaw } from '../../support/raw-http.js';
import { gatewayFixture } from '../../support/fixtures.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const { sandbox, gateway } = await gatewayFixture(
  { acceptUnknownTasks: true },
  { QUOTA_PER_SECOND: '1000' },
  {
    limits: { headersTimeoutMs: 500, requestTimeoutMs: 600, checkIntervalMs: 50 },
  },
);

beforeEach(() => {
  gateway.logs.length = 0;
});

const malformedEntries = () => gateway.logs.filter(({ event }) => event === 'request-malformed');

/** Counts responses to malformed HTTP with this status. */
const countResponses = (status: number): Promise<number> =>
  readMetric(
    gateway.url,
    `http_server_request_duration_seconds_count{method="other",route="unmatched",status="${status}"}`,
  );

const HEAD = 'DELETE /ingest-tasks/secret-task HTTP/1.1\r\nHost: x\r\n';

describe('malformed HTTP', () => {
  it.each([
    ['an invalid header line', 400, 'invalid-request', 'HPE_INVALID_HEADER_TOKEN', `${HEAD}Broken\r\n\r\n`],
    [
      'headers over the limit',
      431,
      'request-header-fields-too-large',
      'HPE_HEADER_OVERFLOW',
      `${HEAD}A: ${'a'.repeat(40_000)}\r\n\r\n`,
    ],
    ['headers that do not arrive in time', 408, 'request-timeout', 'ERR_HTTP_REQUEST_TIMEOUT', `${HEAD}A: `],
  ])('receives a problem, is counted and logged: %s', async (_, status, code, reason, bytes) => {
    const before = await countResponses(status);
    const response = parseRawResponse(await sendRaw(gateway.url, bytes));
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
    expect(malformedEntries()).toEqual([
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
    expect(await countResponses(status)).toBe(before + 1);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('gets no response when a request is in flight on its connection, but is counted and logged', async () => {
    sandbox.setFaults([{ fault: { kind: 'slow', ms: 1000 }, times: 1, taskId: 'in-flight' }]);
    const before = await countResponses(400);
    expect(
      await sendRaw(gateway.url, 'DELETE /ingest-tasks/in-flight HTTP/1.1\r\nHost: x\r\n\r\nGARBAGE\r\n\r\n'),
    ).toBe('');
    expect(malformedEntries()).toEqual([
      expect.objectContaining({ status: 400, reason: 'HPE_INVALID_METHOD' }),
    ]);
    expect(await countResponses(400)).toBe(before + 1);
    await eventually(() => gateway.logs.some(({ taskId }) => taskId === 'in-flight'));
    sandbox.clearReceivedRequests();
  });

  it('is not reported for a request whose body does not arrive in time, which is counted under its route', async () => {
    const response = parseRawResponse(await sendRaw(gateway.url, `${HEAD}Content-Length: 10\r\n\r\nabc`));
    expect(response).toMatchObject({ status: 408, body: { code: 'request-timeout' } });
    expect(response.headers['connection']).toBe('close');
    expect(malformedEntries()).toEqual([]);
    await eventually(() => gateway.logs.some(({ result }) => result === 'request-timeout'));
    expect(
      await readMetric(
        gateway.url,
        'http_server_request_duration_seconds_count{method="DELETE",route="/ingest-tasks/:id",status="408"}',
      ),
    ).toBe(1);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it.each([
    ['is reset', true],
    ['sends no byte', false],
  ])('is not reported for a connection that %s', async (_, isReset) => {
    const before = [await countResponses(400), await countResponses(408)];
    const { socket, closed } = connectRaw(gateway.url);
    if (isReset) socket.write(`${HEAD}A: `, () => socket.resetAndDestroy());
    await closed;
    await sendRaw(gateway.url, `${HEAD}Broken\r\n\r\n`);
    expect(malformedEntries()).toHaveLength(1);
    expect([await countResponses(400), await countResponses(408)]).toEqual([before[0]! + 1, before[1]]);
  });
});
