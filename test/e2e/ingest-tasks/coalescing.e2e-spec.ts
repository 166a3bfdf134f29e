import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { type HttpResponse, send, stopTask } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { RedisProcess } from '../../support/redis.js';
import { holdSlots } from '../../support/hold-slots.js';

let sandbox: Sandbox;
let gateway: Gateway;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true, sdkAppIds: [1400000001, 1400000002] });
  gateway = await startGateway(sandbox);
});

afterAll(async () => {
  await gateway.close();
  await sandbox.close();
});

beforeEach(() => sandbox.clearReceivedRequests());

const requestsFor = (taskId: string) =>
  sandbox.receivedRequests().filter((arrival) => arrival.taskId === taskId);
/** Answered so late that whoever is to join comes in time. */
const slow = (taskId: string) => sandbox.setFaults([{ fault: { kind: 'slow', ms: 4000 }, times: 1, taskId }]);
const coalesced = async (how: string): Promise<number> => {
  const { text } = await send(gateway.url, '/metrics', { method: 'GET' });
  return Number(
    new RegExp(`^ingest_gateway_stop_requests_coalesced_total\\{source="${how}"\\} (\\d+)$`, 'm').exec(
      text,
    )?.[1],
  );
};

describe('concurrent DELETEs of one task', () => {
  it('join one call to the cloud, and each has its answer with its own X-Request-Id', async () => {
    slow('together');
    const joined = await coalesced('in_flight');
    const responses = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        stopTask(gateway.url, 'together', '', { 'x-request-id': `id-${n}` }),
      ),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(responses.map(({ headers }) => headers['x-request-id'])).toEqual(
      responses.map((_, n) => `id-${n}`),
    );
    expect(new Set(responses.map(({ body }) => body!['requestId'])).size).toBe(1);
    expect(requestsFor('together')).toHaveLength(1);
    expect((await coalesced('in_flight')) - joined).toBe(49);
  });

  it('share what the cloud says against it, too', async () => {
    const fault = { kind: 'error', code: 'InvalidParameter.TaskId' } as const;
    sandbox.setDelays({ response: { minMs: 3000, maxMs: 3000 } });
    sandbox.setFaults([{ fault, times: 1, taskId: 'unknown' }]);
    const responses = await Promise.all([1, 2, 3].map(() => stopTask(gateway.url, 'unknown')));
    sandbox.setDelays({ response: { minMs: 0, maxMs: 0 } });
    expect(responses.map(({ status }) => status)).toEqual([404, 404, 404]);
    expect(requestsFor('unknown')).toHaveLength(1);
  });

  it('are one only when SdkAppId and region are the same', async () => {
    const queries = ['', '?sdkAppId=1400000002', '?region=ap-mumbai', '?region=ap-singapore'];
    await Promise.all(queries.map((query) => stopTask(gateway.url, 'elsewhere', query)));
    expect(requestsFor('elsewhere')).toHaveLength(3);
  });

  it('go on when one of the callers hangs up, even the first', async () => {
    slow('left');
    const { hostname, port } = new URL(gateway.url);
    const first = http.request({ hostname, port, path: '/ingest-tasks/left', method: 'DELETE' });
    first.on('error', () => {});
    first.end();
    await eventually(() => requestsFor('left').length > 0);
    const joined = await coalesced('in_flight');
    const second = stopTask(gateway.url, 'left');
    await eventually(async () => (await coalesced('in_flight')) > joined);
    first.destroy();
    expect(await second).toMatchObject({ status: 200, body: { status: 'stopped' } });
    expect(requestsFor('left')).toHaveLength(1);
  });
});

describe('when there is no slot', () => {
  it('each waits as long as it prefers: the hasty are refused, the patient one is served', async () => {
    const singleSlotGateway = await startGateway(sandbox, { QUOTA_PER_SECOND: '1' });
    await holdSlots(sandbox, singleSlotGateway.url, ['takes the slot']);
    const [first, hasty, patient] = await Promise.all(
      ['wait=30', 'wait=0', 'wait=30'].map((prefer) =>
        stopTask(singleSlotGateway.url, 'wanted', '', { prefer }),
      ),
    );
    expect([first!.status, hasty!.status, patient!.status]).toEqual([200, 429, 200]);
    expect(requestsFor('wanted')).toHaveLength(1);
    await singleSlotGateway.close();
  });

  it('the call goes unsent once nobody wants it any more', async () => {
    const singleSlotGateway = await startGateway(sandbox, { QUOTA_PER_SECOND: '1' });
    await holdSlots(sandbox, singleSlotGateway.url, ['takes the slot again']);
    const responses = await Promise.all([1, 2].map(() => stopTask(singleSlotGateway.url, 'unwanted')));
    expect(responses.map(({ status }) => status)).toEqual([429, 429]);
    expect((await stopTask(singleSlotGateway.url, 'unwanted', '', { prefer: 'wait=30' })).status).toBe(200);
    expect(requestsFor('unwanted')).toHaveLength(1);
    await singleSlotGateway.close();
  });
});

describe('a task that is known to have ended', () => {
  it('is already finished, with the RequestId of the call that ended it, and takes no slot', async () => {
    const { body } = await stopTask(gateway.url, 'ended');
    const fromCache = await coalesced('cache');
    const responses = await Promise.all(Array.from({ length: 40 }, () => stopTask(gateway.url, 'ended')));
    for (const again of responses)
      expect(again).toMatchObject({
        status: 200,
        body: { status: 'already-finished', requestId: body!['requestId'] },
      });
    expect(requestsFor('ended')).toHaveLength(1);
    expect((await coalesced('cache')) - fromCache).toBe(40);
  });

  it('is so only after a success: what failed is tried again', async () => {
    const fault = { kind: 'error', code: 'FailedOperation' } as const;
    sandbox.setFaults([{ fault, times: 1, taskId: 'failed' }]);
    expect((await stopTask(gateway.url, 'failed')).status).toBe(502);
    expect(await stopTask(gateway.url, 'failed')).toMatchObject({ status: 200, body: { status: 'stopped' } });
  });
});

/** On a busy machine Redis may be too slow for a moment: whoever is sent away comes again, as callers do. */
async function insist(url: string): Promise<HttpResponse> {
  for (;;) {
    const response = await stopTask(url, 'popular', '', { prefer: 'wait=30' });
    if (response.status !== 503) return response;
    await sleep(Number(response.headers['retry-after']) * 1000);
  }
}

describe('1,000 concurrent DELETEs of one task over three replicas with one Redis', () => {
  it('are at most one call for each replica, and none once the outcome is known', async () => {
    const redis = await RedisProcess.start();
    // Requests that join count against the queue limit while their call waits for its slot.
    const environment = { REDIS_URL: redis.url, QUOTA_QUEUE_LIMIT: '1000' };
    const replicas = await Promise.all([1, 2, 3].map(() => startGateway(sandbox, environment)));
    const calls = (count: number) =>
      Promise.all(Array.from({ length: count }, (_, n) => insist(replicas[n % 3]!.url)));
    for (const { status } of await calls(1000)) expect(status).toBe(200);
    expect(requestsFor('popular').length).toBeLessThanOrEqual(3);
    sandbox.clearReceivedRequests();
    for (const { body } of await calls(30)) expect(body).toMatchObject({ status: 'already-finished' });
    // A call waits only a moment for Redis, which may be too short on a busy machine: then the next newcomer knows.
    await eventually(async () => {
      const newcomer = await startGateway(sandbox, { REDIS_URL: redis.url });
      await stopTask(newcomer.url, 'connects', '', { prefer: 'wait=30' });
      sandbox.clearReceivedRequests();
      const response = await insist(newcomer.url);
      await newcomer.close();
      expect(response).toMatchObject({ body: { status: 'already-finished' } });
      return requestsFor('popular').length === 0;
    });
    for (const replica of replicas) await replica.close();
    await redis.close();
  });
});
