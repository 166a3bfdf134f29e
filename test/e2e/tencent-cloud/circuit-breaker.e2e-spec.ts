import { describe, expect, it } from '@jest/globals';
import { stopTask } from '../../support/client.js';
import { readMetric } from '../../support/metrics.js';
import { gatewayFixture } from '../../support/fixtures.js';

const { sandbox, gateway } = await gatewayFixture(
  { acceptUnknownTasks: true, quotaPerSecond: 100_000 },
  { QUOTA_PER_SECOND: '1000', UPSTREAM_MAX_ATTEMPTS: '1' },
);

async function isInState(state: string): Promise<boolean> {
  return (await readMetric(gateway.url, `tencentcloud_circuit_state{state="${state}"}`)) === 1;
}

const ALWAYS_FAIL = { fault: { kind: 'error', code: 'InternalError' }, times: 'always' } as const;

// Each test continues with the circuit of the test before.
describe('the circuit breaker', () => {
  it('opens after ten failures in a row: calls get 503 with Retry-After and are not sent', async () => {
    sandbox.setFaults([ALWAYS_FAIL]);
    for (let n = 0; n < 10; n += 1) expect((await stopTask(gateway.url, `failing-${n}`)).status).toBe(502);
    expect(await isInState('open')).toBe(true);
    sandbox.clearReceivedRequests();
    const { status, headers, body } = await stopTask(gateway.url, 'open');
    expect({ status, ...body }).toMatchObject({
      status: 503,
      code: 'upstream-unavailable',
      outcome: 'not-sent',
    });
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(Number(headers['retry-after'])).toBeLessThanOrEqual(5);
    expect(sandbox.receivedRequests()).toEqual([]);
  });

  it('sends one call after Retry-After, and stays open when it fails', async () => {
    const { headers } = await stopTask(gateway.url, 'open');
    gateway.skipTime(Number(headers['retry-after']) * 1000);
    sandbox.clearReceivedRequests();
    sandbox.setDelays({ request: { minMs: 200, maxMs: 200 } });
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, n) => stopTask(gateway.url, `probe-${n}`)),
    );
    expect(responses.filter(({ status }) => status === 502)).toHaveLength(1);
    expect(responses.filter(({ status }) => status === 503)).toHaveLength(19);
    expect(sandbox.receivedRequests()).toHaveLength(1);
    expect(await isInState('open')).toBe(true);
  });

  it('closes when the one call succeeds', async () => {
    sandbox.setFaults([]);
    sandbox.setDelays({ request: { minMs: 0, maxMs: 0 } });
    const { headers } = await stopTask(gateway.url, 'open');
    gateway.skipTime(Number(headers['retry-after']) * 1000);
    expect((await stopTask(gateway.url, 'recovered')).status).toBe(200);
    expect(await isInState('closed')).toBe(true);
    expect(
      gateway.logs.filter(({ event }) => event === 'circuit-state-changed').map(({ state: to }) => to),
    ).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
  });
});
