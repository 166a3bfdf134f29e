import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type HttpResponse, stopTask } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startGateway } from '../../support/gateway.js';
import { RedisProcess } from '../../support/redis.js';
import { holdSlots } from '../../support/hold-slots.js';
import { readMetric } from '../../support/metrics.js';
import { gatewayFixture } from '../../support/fixtures.js';

const { sandbox, gateway } = await gatewayFixture({
  acceptUnknownTasks: true,
  sdkAppIds: [1400000001, 1400000002],
});

beforeEach(() => sandbox.clearReceivedRequests());

const requestsFor = (taskId: string) =>
  sandbox.receivedRequests().filter((request) => request.taskId === taskId);
/** Delays the response until the release, so that other requests can join. */
const delayResponse = (taskId: string) =>
  sandbox.setFaults([{ fault: { kind: 'slow', ms: 20_000 }, times: 1, taskId }]);
const countCoalesced = (source: string): Promise<number> =>
  readMetric(gateway.url, `ingest_gateway_stop_requests_coalesced_total{source="${source}"}`);

describe('concurrent DELETEs of one task', () => {
  it('share one upstream call, and each response has its own X-Request-Id', async () => {
    delayResponse('together');
    const joined = await countCoalesced('in_flight');
    const calls = Array.from({ length: 50 }, (_, n) =>
      stopTask(gateway.url, 'together', '', { 'x-request-id': `id-${n}` }),
    );
    await eventually(async () => (await countCoalesced('in_flight')) - joined === 49);
    sandbox.releaseSlowResponses();
    const responses = await Promise.all(calls);
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(responses.map(({ headers }) => headers['x-request-id'])).toEqual(
      responses.map((_, n) => `id-${n}`),
    );
    expect(new Set(responses.map(({ body }) => body!['requestId'])).size).toBe(1);
    expect(requestsFor('together')).toHaveLength(1);
    expect((await countCoalesced('in_flight')) - joined).toBe(49);
  });

  it('are coalesced only when SdkAppId and region are the same', async () => {
    const queries = ['', '?sdkAppId=1400000002', '?region=ap-mumbai', '?region=ap-singapore'];
    await Promise.all(queries.map((query) => stopTask(gateway.url, 'elsewhere', query)));
    expect(requestsFor('elsewhere')).toHaveLength(3);
  });
});

describe('concurrent DELETEs of one task without a free slot', () => {
  it('wait as long as each prefers: a call without a wait gets 429, a call with a wait is served', async () => {
    const singleSlotGateway = await startGateway(sandbox, { QUOTA_PER_SECOND: '1' });
    const { release } = await holdSlots(sandbox, singleSlotGateway.url, ['holds the slot']);
    const calls = ['wait=30', 'wait=0', 'wait=30'].map((prefer) =>
      stopTask(singleSlotGateway.url, 'wanted', '', { prefer }),
    );
    await calls[1];
    release();
    const [first, withoutWait, withWait] = await Promise.all(calls);
    expect([first!.status, withoutWait!.status, withWait!.status]).toEqual([200, 429, 200]);
    expect(requestsFor('wanted')).toHaveLength(1);
    await singleSlotGateway.close();
  });
});

describe('a DELETE of a task that the gateway has stopped', () => {
  it('returns already-finished with the RequestId of the call that stopped it, and acquires no slot', async () => {
    const { body } = await stopTask(gateway.url, 'ended');
    const fromCache = await countCoalesced('cache');
    const responses = await Promise.all(Array.from({ length: 40 }, () => stopTask(gateway.url, 'ended')));
    for (const response of responses)
      expect(response).toMatchObject({
        status: 200,
        body: { status: 'already-finished', requestId: body!['requestId'] },
      });
    expect(requestsFor('ended')).toHaveLength(1);
    expect((await countCoalesced('cache')) - fromCache).toBe(40);
  });

  it('calls the upstream again when the first call failed', async () => {
    const fault = { kind: 'error', code: 'FailedOperation' } as const;
    sandbox.setFaults([{ fault, times: 1, taskId: 'failed' }]);
    expect((await stopTask(gateway.url, 'failed')).status).toBe(502);
    expect(await stopTask(gateway.url, 'failed')).toMatchObject({ status: 200, body: { status: 'stopped' } });
  });
});

/** Retries after 503, because Redis may be slow on a busy machine. */
async function stopWithRetries(url: string): Promise<HttpResponse> {
  for (;;) {
    const response = await stopTask(url, 'popular', '', { prefer: 'wait=30' });
    if (response.status !== 503) return response;
    await sleep(Number(response.headers['retry-after']) * 1000);
  }
}

describe('1,000 concurrent DELETEs of one task over three replicas with one Redis', () => {
  it('cause at most one upstream call for each replica, and none after the outcome is known', async () => {
    const redis = await RedisProcess.start();
    // Requests that join count against the queue limit while their call waits for its slot.
    const variables = { REDIS_URL: redis.url, QUOTA_QUEUE_LIMIT: '1000' };
    const replicas = await Promise.all([1, 2, 3].map(() => startGateway(sandbox, variables)));
    const calls = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, n) => stopWithRetries(replicas[n % 3]!.url)));
    for (const { status } of await calls(1000)) expect(status).toBe(200);
    expect(requestsFor('popular').length).toBeLessThanOrEqual(3);
    sandbox.clearReceivedRequests();
    for (const { body } of await calls(30)) expect(body).toMatchObject({ status: 'already-finished' });
    // On a busy machine a call may not wait long enough for Redis. Then the test tries another new replica.
    await eventually(async () => {
      const newReplica = await startGateway(sandbox, { REDIS_URL: redis.url });
      await stopTask(newReplica.url, 'connects', '', { prefer: 'wait=30' });
      sandbox.clearReceivedRequests();
      const response = await stopWithRetries(newReplica.url);
      await newReplica.close();
      expect(response).toMatchObject({ body: { status: 'already-finished' } });
      return requestsFor('popular').length === 0;
    });
    for (const replica of replicas) await replica.close();
    await redis.close();
  });
});
