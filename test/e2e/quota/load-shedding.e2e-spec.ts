import { afterAll, describe, expect, it } from '@jest/globals';
import { startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { type HttpResponse, send } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startGateway } from '../../support/gateway.js';
import { readMetric } from '../../support/metrics.js';
import { sendRaw } from '../../support/raw-http.js';

const sandbox = await startSandbox({ acceptUnknownTasks: true });
sandbox.setFaults([{ fault: { kind: 'no-response' }, times: 'always' }]);
const gateway = await startGateway(sandbox, {
  QUOTA_PER_SECOND: '1',
  UPSTREAM_ATTEMPT_TIMEOUT_MS: '60000',
  UPSTREAM_DEADLINE_MS: '60000',
  UPSTREAM_MAX_ATTEMPTS: '1',
});

// One call without a response holds the only slot during all tests of this file.
const pendingCall = send(gateway.url, '/ingest-tasks/holds-the-slot').catch(() => {});
await eventually(() => sandbox.receivedRequests().length === 1);

afterAll(async () => {
  await sandbox.close();
  await pendingCall;
  await gateway.close();
});

const COUNTERS = [
  'ingest_gateway_stop_requests_total{caller="anonymous",result="quota-exhausted"}',
  'ingest_gateway_quota_decisions_total{decision="rejected-quota"}',
  'http_server_request_duration_seconds_count{method="DELETE",route="/ingest-tasks/:id",status="429"}',
];

const request = (id: string, headers: string): string =>
  `DELETE /ingest-tasks/${id} HTTP/1.1\r\nHost: gateway\r\nX-Request-Id: ${id}\r\n${headers}\r\n\r\n`;

describe('a call that load shedding rejects', () => {
  // Load shedding skips a call that may wait. The slot becomes free in more than a second, so the service rejects it.
  const WITHOUT_SHEDDING = { prefer: 'wait=1' };

  it('gets the same response as a call that the service rejects', async () => {
    const shed = await send(gateway.url, '/ingest-tasks/one?region=ap-mumbai');
    const rejected = await send(gateway.url, '/ingest-tasks/one?region=ap-mumbai', {
      headers: WITHOUT_SHEDDING,
    });
    const varying = new Set(['date', 'x-request-id', 'content-length', 'preference-applied']);
    const comparable = ({ status, headers, body }: HttpResponse): unknown => ({
      status,
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !varying.has(name))),
      body: { ...body, instance: '' },
    });
    expect(rejected.headers['preference-applied']).toBe('wait=1');
    expect(shed.status).toBe(429);
    expect(comparable(shed)).toEqual(comparable(rejected));
    expect(shed.body?.['instance']).toBe(shed.headers['x-request-id']);
  });

  it('is logged and counted like a call that the service rejects', async () => {
    const before = await Promise.all(COUNTERS.map((selector) => readMetric(gateway.url, selector)));
    const responses = [
      await send(gateway.url, '/ingest-tasks/two?sdkAppId=1400000001'),
      await send(gateway.url, '/ingest-tasks/two?sdkAppId=1400000001', { headers: WITHOUT_SHEDDING }),
    ];
    const [shed, rejected] = responses.map(({ headers }) => {
      const entries = gateway.logs.filter(({ requestId }) => requestId === headers['x-request-id']);
      expect(entries).toHaveLength(1);
      const [{ durationMs, waitMs, ...entry } = {}] = entries;
      return { ...entry, time: '', requestId: '', timed: [typeof durationMs, typeof waitMs] };
    });
    expect(shed).toMatchObject({
      event: 'stop-completed',
      result: 'quota-exhausted',
      status: 429,
      taskId: 'two',
    });
    expect(shed).toEqual(rejected);
    await eventually(async () => {
      const after = await Promise.all(COUNTERS.map((selector) => readMetric(gateway.url, selector)));
      return after.every((count, index) => count === before[index]! + 2);
    });
  });

  it('gets its response after the calls before it on the same connection', async () => {
    const received = await sendRaw(
      gateway.url,
      request('first', 'Prefer: wait=1') +
        request('second', 'Connection: keep-alive') +
        request('third', 'Connection: close'),
    );
    const ids = [...received.matchAll(/^x-request-id: (\w+)/gim)].map(([, id]) => id);
    expect(ids).toEqual(['first', 'second', 'third']);
  });

  it.each([
    '/ingest-tasks/%01%1b%5B31ma?sdkAppId=abc',
    '/ingest-tasks/a?sdkAppId=0x10',
    '/ingest-tasks/a?sdkAppId=',
    '/ingest-tasks/a?sdkAppId=-5',
    '/ingest-tasks/a?sdkAppId=1e3',
    '/ingest-tasks/a?region=mars',
    '/ingest-tasks/a?region=%0A%E2%80%AE',
    `/ingest-tasks/${'a'.repeat(257)}`,
  ])('is logged without parameters that are not valid: %s', async (path) => {
    let entry: Record<string, unknown> | undefined;
    // The log leaves out entries of a caller that has had ten rejections within a second.
    await eventually(async () => {
      const { status, headers } = await send(gateway.url, path);
      expect(status).toBe(429);
      entry = gateway.logs.find(({ requestId }) => requestId === headers['x-request-id']);
      return entry !== undefined;
    });
    expect(entry).toMatchObject({ event: 'stop-completed', result: 'quota-exhausted' });
    for (const field of ['taskId', 'sdkAppId', 'region']) expect(entry).not.toHaveProperty(field);
  });

  it('may be invalid, because load shedding comes before validation', async () => {
    const { status, body } = await send(gateway.url, '/ingest-tasks/three?region=nowhere');
    expect({ status, code: body?.['code'] }).toEqual({ status: 429, code: 'quota-exhausted' });
  });
});
