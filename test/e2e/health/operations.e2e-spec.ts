import { describe, expect, it } from '@jest/globals';
import { send, stopTask } from '../../support/client.js';
import { holdSlots } from '../../support/hold-slots.js';
import { readMetric } from '../../support/metrics.js';
import { gatewayFixture } from '../../support/fixtures.js';

const { sandbox, gateway } = await gatewayFixture(
  { acceptUnknownTasks: true },
  { GATEWAY_REVISION: 'abc123' },
);

const get = (path: string) => send(gateway.url, path, { method: 'GET' });

describe('GET /metrics', () => {
  it('has the revision, and the metrics of the process and of Node.js', async () => {
    const { text } = await get('/metrics');
    expect(text).toContain(
      `ingest_gateway_build_info{version="0.1.0",revision="abc123",node="${process.version}"} 1\n`,
    );
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(text).toMatch(/^nodejs_heap_size_used_bytes /m);
    expect(text).not.toMatch(/^nodejs_(eventloop_lag|active)_/m);
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
  it('has one entry for a task id that contains JSON', async () => {
    gateway.logs.length = 0;
    await stopTask(gateway.url, '"}{"event":"stop\u2028');
    expect(gateway.logs).toHaveLength(1);
  });
});
