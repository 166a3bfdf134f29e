import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { type HttpResponse, send } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { type Gateway, startGateway } from '../../support/gateway.js';

let sandbox: Sandbox;
let gateway: Gateway;
let holding: Promise<HttpResponse>;

// The one slot is taken by a call that the cloud does not answer for as long as this file asks.
beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
  sandbox.setFaults([{ fault: { kind: 'no-response' }, times: 'always' }]);
  gateway = await startGateway(sandbox, {
    QUOTA_PER_SECOND: '1',
    UPSTREAM_ATTEMPT_TIMEOUT_MS: '60000',
    UPSTREAM_DEADLINE_MS: '60000',
    UPSTREAM_MAX_ATTEMPTS: '1',
  });
  holding = send(gateway.url, '/ingest-tasks/holds-the-slot');
  holding.catch(() => {});
  await eventually(() => sandbox.receivedRequests().length === 1);
});

afterAll(async () => {
  await sandbox.close();
  await holding.catch(() => {});
  await gateway.close();
});

async function metric(line: string): Promise<number> {
  const { text } = await send(gateway.url, '/metrics', { method: 'GET' });
  return Number(
    text
      .split('\n')
      .find((each) => each.startsWith(`${line} `))
      ?.split(' ')[1],
  );
}

const COUNTS = [
  'ingest_gateway_stop_requests_total{caller="anonymous",result="quota-exhausted"}',
  'ingest_gateway_quota_decisions_total{decision="rejected-quota"}',
  'http_server_request_duration_seconds_count{method="DELETE",route="/ingest-tasks/:id",status="429"}',
];

const request = (id: string, more = ''): string =>
  `DELETE /ingest-tasks/${id} HTTP/1.1\r\nHost: gateway\r\nX-Request-Id: ${id}\r\n${more}\r\n`;

describe('a call that is refused at once', () => {
  // A call that speaks of waiting, if only to say that it does not, takes the usual way through Nest.
  const USUAL = { prefer: 'wait=0' };

  it('is answered like any other refused one', async () => {
    const atOnce = await send(gateway.url, '/ingest-tasks/one?region=ap-mumbai');
    const usual = await send(gateway.url, '/ingest-tasks/one?region=ap-mumbai', { headers: USUAL });
    const varying = new Set(['date', 'x-request-id', 'content-length', 'preference-applied']);
    const comparable = ({ status, headers, body }: HttpResponse): unknown => ({
      status,
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !varying.has(name))),
      body: { ...body, instance: '' },
    });
    expect(usual.headers['preference-applied']).toBe('wait=0');
    expect(atOnce.status).toBe(429);
    expect(comparable(atOnce)).toEqual(comparable(usual));
    expect(atOnce.body?.['instance']).toBe(atOnce.headers['x-request-id']);
  });

  it('is logged and counted like any other refused one', async () => {
    const before = await Promise.all(COUNTS.map(metric));
    const responses = [
      await send(gateway.url, '/ingest-tasks/two?sdkAppId=1400000001'),
      await send(gateway.url, '/ingest-tasks/two?sdkAppId=1400000001', { headers: USUAL }),
    ];
    const [atOnce, usual] = responses.map(({ headers }) => {
      const lines = gateway.logs.filter(({ requestId }) => requestId === headers['x-request-id']);
      expect(lines).toHaveLength(1);
      const [{ durationMs, waitMs, ...line } = {}] = lines;
      return { ...line, time: '', requestId: '', timed: [typeof durationMs, typeof waitMs] };
    });
    expect(atOnce).toMatchObject({
      event: 'stop-completed',
      result: 'quota-exhausted',
      status: 429,
      taskId: 'two',
    });
    expect(atOnce).toEqual(usual);
    await eventually(async () => {
      const after = await Promise.all(COUNTS.map(metric));
      return after.every((count, place) => count === before[place]! + 2);
    });
  });

  it('keeps its place behind the call before it on the same connection', async () => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
    socket.write(request('first', 'Prefer: wait=0\r\n') + request('second') + request('third'));
    let received = '';
    socket.on('data', (data) => (received += data.toString()));
    await eventually(() => received.match(/"instance":"third"/) !== null);
    socket.destroy();
    const ids = [...received.matchAll(/^x-request-id: (\w+)/gim)].map(([, id]) => id);
    expect(ids).toEqual(['first', 'second', 'third']);
  });

  it('is not one with a fault', async () => {
    const { status, body } = await send(gateway.url, '/ingest-tasks/three?region=nowhere');
    expect({ status, code: body?.['code'] }).toEqual({ status: 400, code: 'invalid-request' });
  });
});
