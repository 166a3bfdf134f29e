import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { stopTask } from '../../support/client.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { readMetric } from '../../support/metrics.js';

let sandbox: Sandbox;
let gateway: Gateway;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true, quotaPerSecond: 100_000 });
  gateway = await startGateway(sandbox, { QUOTA_PER_SECOND: '1000', UPSTREAM_MAX_ATTEMPTS: '1' });
});

afterAll(async () => {
  await gateway.close();
  await sandbox.close();
});

async function isInState(state: string): Promise<boolean> {
  return (await readMetric(gateway.url, `tencentcloud_circuit_state{state="${state}"}`)) === 1;
}

const ALWAYS_FAIL = { fault: { kind: 'error', code: 'InternalError' }, times: 'always' } as const;

// Each test continues with the circuit of the test before.
describe('the circuit breaker', () => {
  it('stays closed while the upstream returns definite errors', async () => {
    sandbox.setFaults([{ fault: { kind: 'error', code: 'AuthFailure.SignatureFailure' }, times: 'always' }]);
    for (let n = 0; n < 15; n += 1) expect((await stopTask(gateway.url, `rejected-${n}`)).status).toBe(502);
    expect(await isInState('closed')).toBe(true);
  });

  it('resets its count of failures at a definite response', async () => {
    for (let round = 0; round < 3; round += 1) {
      sandbox.setFaults([{ ...ALWAYS_FAIL, times: 6 }]);
      for (let n = 0; n < 7; n += 1) await stopTask(gateway.url, `mixed-${round}-${n}`);
    }
    expect(await isInState('closed')).toBe(true);
  });

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
