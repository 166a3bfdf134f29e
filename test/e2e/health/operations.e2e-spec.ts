import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { PROBLEM_CODES } from '../../contract/problem-codes.js';
import { send, stopTask } from '../../support/client.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { holdSlots } from '../../support/hold-slots.js';

let sandbox: Sandbox;
let gateway: Gateway;

const get = (path: string) => send(gateway.url, path, { method: 'GET' });
const metrics = async () => (await get('/metrics')).text;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
  gateway = await startGateway(sandbox, { GATEWAY_REVISION: 'abc123' });
});

afterAll(async () => {
  await gateway.close();
  await sandbox.close();
});

describe('GET /metrics', () => {
  it('has every series before the first call', async () => {
    const { status, headers, text } = await get('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    for (const result of ['stopped', 'already-finished', ...Object.keys(PROBLEM_CODES)])
      expect(text).toContain(`ingest_gateway_stop_requests_total{caller="anonymous",result="${result}"} 0\n`);
    for (const line of [
      'ingest_gateway_quota_slots 20',
      'ingest_gateway_quota_queue_length 0',
      'ingest_gateway_quota_queue_wait_seconds_count 0',
      'ingest_gateway_quota_decisions_total{decision="granted"} 0',
      'ingest_gateway_quota_decisions_total{decision="waited"} 0',
      'ingest_gateway_quota_decisions_total{decision="rejected-quota"} 0',
      'tencentcloud_request_duration_seconds_count{action="StopStreamIngest",code="OK"} 0',
      'tencentcloud_request_duration_seconds_count{action="StopStreamIngest",code="RequestLimitExceeded"} 0',
      'tencentcloud_request_duration_seconds_count{action="StopStreamIngest",code="other"} 0',
      'tencentcloud_request_duration_seconds_count{action="StopStreamIngest",code="timeout"} 0',
      'http_server_request_duration_seconds_count{method="DELETE",route="/ingest-tasks/:id",status="200"} 0',
      `ingest_gateway_build_info{version="0.1.0",revision="abc123",node="${process.version}"} 1`,
    ])
      expect(text).toContain(`${line}\n`);
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m);
  });

  it('counts calls by result, and no task id ends up in a label', async () => {
    sandbox.setFaults([
      { fault: { kind: 'error', code: 'NobodyKnows.ThisOne' }, times: 1, taskId: 'secret-task' },
    ]);
    await stopTask(gateway.url, 'secret-task');
    await stopTask(gateway.url, 'another');
    await stopTask(gateway.url, 'another');
    await stopTask(gateway.url, 'another', '?sdkAppId=0');
    await get('/no-such-route-of-mine');
    const text = await metrics();
    for (const line of [
      'ingest_gateway_stop_requests_total{caller="anonymous",result="stopped"} 1',
      'ingest_gateway_stop_requests_total{caller="anonymous",result="already-finished"} 1',
      'ingest_gateway_stop_requests_total{caller="anonymous",result="upstream-rejected"} 1',
      'ingest_gateway_stop_requests_total{caller="anonymous",result="invalid-request"} 1',
      'tencentcloud_request_duration_seconds_count{action="StopStreamIngest",code="OK"} 1',
      'tencentcloud_request_duration_seconds_count{action="StopStreamIngest",code="other"} 1',
      'http_server_request_duration_seconds_count{method="DELETE",route="/ingest-tasks/:id",status="400"} 1',
      'http_server_request_duration_seconds_count{method="GET",route="unmatched",status="404"} 1',
    ])
      expect(text).toContain(`${line}\n`);
    expect(text).not.toMatch(/secret-task|no-such-route|1400000001|NobodyKnows/);
  });

  it('shows the slots in use', async () => {
    const { responses } = await holdSlots(sandbox, gateway.url, ['one-more']);
    expect(
      Number(/^ingest_gateway_quota_slots_in_use (\d+)$/m.exec(await metrics())?.[1]),
    ).toBeGreaterThanOrEqual(1);
    await responses;
  });
});

describe('health', () => {
  it('/livez and /readyz answer 200 to GET and HEAD', async () => {
    for (const path of ['/livez', '/readyz']) {
      expect((await get(path)).status).toBe(200);
      expect((await send(gateway.url, path, { method: 'HEAD' })).status).toBe(200);
    }
  });
});

describe('the log', () => {
  it('has one line per call that tells who stopped what, with which RequestId', async () => {
    gateway.logs.length = 0;
    const { body } = await stopTask(gateway.url, 'logged', '', { 'x-request-id': 'mine' });
    expect(gateway.logs).toEqual([
      expect.objectContaining({
        event: 'stop-completed',
        requestId: 'mine',
        caller: 'anonymous',
        taskId: 'logged',
        sdkAppId: 1400000001,
        region: 'ap-singapore',
        result: 'stopped',
        status: 200,
        upstreamCode: 'OK',
        upstreamRequestId: body!['requestId'],
        durationMs: expect.any(Number),
      }),
    ]);
  });

  it('tells the trace that a call belongs to, if its traceparent is valid', async () => {
    gateway.logs.length = 0;
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    await stopTask(gateway.url, 'traced', '', { traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
    await stopTask(gateway.url, 'untraced', '', { traceparent: `00-${traceId}` });
    expect(gateway.logs.map((line) => line['traceId'])).toEqual([traceId, undefined]);
  });

  it('says why the cloud could not be reached', async () => {
    const lonely = await startGateway(sandbox, { TRTC_ENDPOINT: 'http://127.0.0.1:9' });
    const { status, body } = await stopTask(lonely.url, 'x');
    expect({ status, ...body }).toMatchObject({
      status: 502,
      code: 'upstream-unreachable',
      outcome: 'not-sent',
    });
    expect(lonely.logs).toContainEqual(
      expect.objectContaining({ event: 'stop-completed', reason: 'ECONNREFUSED' }),
    );
    await lonely.close();
  });

  it('cannot be forged by a task id', async () => {
    gateway.logs.length = 0;
    await stopTask(gateway.url, '"}{"event":"stop\u2028');
    expect(gateway.logs).toHaveLength(1);
  });
});
