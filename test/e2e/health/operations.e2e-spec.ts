import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { PROBLEM_CODES } from '../../contract/problem-codes.js';
import { send, stopTask } from '../../support/client.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { holdSlots } from '../../support/hold-slots.js';
import { readMetric } from '../../support/metrics.js';

let sandbox: Sandbox;
let gateway: Gateway;

const get = (path: string) => send(gateway.url, path, { method: 'GET' });

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

  it('counts calls by result, and has no task id in a label', async () => {
    sandbox.setFaults([
      { fault: { kind: 'error', code: 'UnknownCode.Undocumented' }, times: 1, taskId: 'secret-task' },
    ]);
    await stopTask(gateway.url, 'secret-task');
    await stopTask(gateway.url, 'another');
    await stopTask(gateway.url, 'another');
    await stopTask(gateway.url, 'another', '?sdkAppId=0');
    await get('/no-such-route');
    const { text } = await get('/metrics');
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
    expect(text).not.toMatch(/secret-task|no-such-route|1400000001|UnknownCode/);
  });

  it('shows the slots in use', async () => {
    const { responses, release } = await holdSlots(sandbox, gateway.url, ['one-more']);
    expect(await readMetric(gateway.url, 'ingest_gateway_quota_slots_in_use')).toBeGreaterThanOrEqual(1);
    release();
    await responses;
  });
});

describe('/livez and /readyz', () => {
  it('return 200 for GET and HEAD', async () => {
    for (const path of ['/livez', '/readyz']) {
      expect((await get(path)).status).toBe(200);
      expect((await send(gateway.url, path, { method: 'HEAD' })).status).toBe(200);
    }
  });
});

describe('the log', () => {
  it('has one entry for each call, with caller, task and RequestId', async () => {
    gateway.logs.length = 0;
    const { body } = await stopTask(gateway.url, 'logged', '', { 'x-request-id': 'request-1' });
    expect(gateway.logs).toEqual([
      expect.objectContaining({
        event: 'stop-completed',
        requestId: 'request-1',
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

  it('contains the trace id of a call with a valid traceparent', async () => {
    gateway.logs.length = 0;
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    await stopTask(gateway.url, 'traced', '', { traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
    await stopTask(gateway.url, 'untraced', '', { traceparent: `00-${traceId}` });
    expect(gateway.logs.map((entry) => entry['traceId'])).toEqual([traceId, undefined]);
  });

  it('contains the reason why the upstream is unreachable', async () => {
    const unreachableGateway = await startGateway(sandbox, { TRTC_ENDPOINT: 'http://127.0.0.1:9' });
    const { status, body } = await stopTask(unreachableGateway.url, 'x');
    expect({ status, ...body }).toMatchObject({
      status: 502,
      code: 'upstream-unreachable',
      outcome: 'not-sent',
    });
    expect(unreachableGateway.logs).toContainEqual(
      expect.objectContaining({ event: 'stop-completed', reason: 'ECONNREFUSED' }),
    );
    await unreachableGateway.close();
  });

  it('has one entry for a task id that contains JSON', async () => {
    gateway.logs.length = 0;
    await stopTask(gateway.url, '"}{"event":"stop\u2028');
    expect(gateway.logs).toHaveLength(1);
  });
});
