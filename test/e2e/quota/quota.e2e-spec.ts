import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { type HttpResponse, send } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { holdSlots } from '../../support/hold-slots.js';
import { readMetric } from '../../support/metrics.js';
import { gatewayFixture } from '../../support/fixtures.js';

const { sandbox, gateway } = await gatewayFixture(
  { acceptUnknownTasks: true, quotaPerSecond: 1000 },
  {},
  { hasStartupDelay: true },
);

const waitUntilAllSlotsAreFree = (): Promise<void> =>
  eventually(async () => (await readMetric(gateway.url, 'ingest_gateway_quota_slots_in_use')) === 0);

/** Returns the mean duration of upstream calls. */
async function averageUpstreamSeconds(): Promise<number> {
  const metric = 'tencentcloud_request_duration_seconds';
  const labels = '{action="StopStreamIngest",code="OK"}';
  return (
    (await readMetric(gateway.url, `${metric}_sum${labels}`)) /
    (await readMetric(gateway.url, `${metric}_count${labels}`))
  );
}

/** Sends calls at a steady rate, whether or not the previous calls have ended. */
async function flood(perSecond: number, seconds: number): Promise<HttpResponse[]> {
  const agent = new http.Agent({ keepAlive: true });
  const calls: Promise<HttpResponse>[] = [];
  const start = performance.now();
  for (let n = 0; n < perSecond * seconds; n += 1) {
    const due = start + (n * 1000) / perSecond - performance.now();
    if (due > 0) await sleep(due);
    calls.push(send(gateway.url, `/ingest-tasks/flood-${n}`, { agent }));
  }
  const responses = await Promise.all(calls);
  agent.destroy();
  return responses;
}

describe('30 calls at once', () => {
  it('get 20 × 200 and 10 × 429, and only 20 reach the upstream', async () => {
    await waitUntilAllSlotsAreFree();
    // No slot frees before the last call arrives, even on a busy machine.
    const tasks = Array.from({ length: 30 }, (_, n) => `burst-${n}`);
    sandbox.setFaults(tasks.map((taskId) => ({ fault: { kind: 'slow', ms: 20_000 }, times: 1, taskId })));
    const before = sandbox.state().statistics.stopCalls;
    let responded = 0;
    const calls = tasks.map((taskId) =>
      send(gateway.url, `/ingest-tasks/${taskId}`).finally(() => (responded += 1)),
    );
    await eventually(() => responded >= 10);
    sandbox.releaseSlowResponses();
    const responses = await Promise.all(calls);
    const rejected = responses.filter(({ status }) => status === 429);
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(20);
    expect(rejected).toHaveLength(10);
    for (const { headers, body } of rejected) {
      expect(body).toMatchObject({ code: 'quota-exhausted', outcome: 'not-sent', status: 429 });
      expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
      expect(headers['ratelimit']).toMatch(/^"stop";r=0;t=[1-9]$/);
    }
    expect(sandbox.state().statistics.stopCalls - before).toBe(20);
  });

  it('succeed after Retry-After', async () => {
    await waitUntilAllSlotsAreFree();
    const tasks = Array.from({ length: 20 }, (_, n) => `c-${n}`);
    const { responses, release } = await holdSlots(sandbox, gateway.url, tasks);
    expect(await send(gateway.url, '/ingest-tasks/late')).toMatchObject({ status: 429 });
    release();
    await responses;
    // After the responses the gateway knows when the first slot frees, unless it is free already.
    let late = await send(gateway.url, '/ingest-tasks/late');
    if (late.status === 429) {
      await sleep(Number(late.headers['retry-after']) * 1000);
      late = await send(gateway.url, '/ingest-tasks/late');
    }
    expect(late.status).toBe(200);
  });
});

describe('200 calls per second for 10 seconds with 0 to 200 ms of random delay each way', () => {
  it('cause at most 20 upstream calls in any second, and get 200 or 429 each', async () => {
    sandbox.setDelays({ request: { minMs: 0, maxMs: 200 }, response: { minMs: 0, maxMs: 200 } });
    const { stopCalls: earlierCalls } = sandbox.state().statistics;
    const responses = await flood(200, 10);
    const { statistics } = sandbox.state();
    expect(responses).toHaveLength(2000);
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200, 429]));
    expect(statistics.peakPerSecond).toBeLessThanOrEqual(20);
    expect(statistics.signatures.rejected).toBe(0);
    const stopped = responses.filter(({ status }) => status === 200).length;
    // A limiter that grants far fewer slots than the rule allows is broken, too.
    expect(stopped).toBeGreaterThan((0.6 * 20 * 10) / (1 + (await averageUpstreamSeconds())));
    expect(stopped).toBe(statistics.stopCalls - earlierCalls);
  });
});
