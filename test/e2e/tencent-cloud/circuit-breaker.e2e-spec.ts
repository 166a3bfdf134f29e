import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { send, stopTask } from '../../support/client.js';
import { type Gateway, startGateway } from '../../support/gateway.js';

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

async function state(): Promise<string> {
  const { text } = await send(gateway.url, '/metrics', { method: 'GET' });
  return /^tencentcloud_circuit_state\{state="([a-z-]+)"\} 1$/m.exec(text)![1]!;
}

const sendFailing = { fault: { kind: 'error', code: 'InternalError' }, times: 'always' } as const;

// The cases build on each other: this is the life of one circuit.
describe('the circuit to the cloud', () => {
  it('stays closed while there are definite answers, however unwelcome', async () => {
    sandbox.setFaults([{ fault: { kind: 'error', code: 'AuthFailure.SignatureFailure' }, times: 'always' }]);
    for (let n = 0; n < 15; n += 1) expect((await stopTask(gateway.url, `refused-${n}`)).status).toBe(502);
    expect(await state()).toBe('closed');
  });

  it('forgets failures at a definite answer', async () => {
    for (let round = 0; round < 3; round += 1) {
      sandbox.setFaults([{ ...sendFailing, times: 6 }]);
      for (let n = 0; n < 7; n += 1) await stopTask(gateway.url, `mixed-${round}-${n}`);
    }
    expect(await state()).toBe('closed');
  });

  it('opens after ten failures in a row: 503 at once, with a Retry-After, and nothing is sent', async () => {
    sandbox.setFaults([sendFailing]);
    for (let n = 0; n < 10; n += 1) expect((await stopTask(gateway.url, `failing-${n}`)).status).toBe(502);
    expect(await state()).toBe('open');
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

  it('lets one call through when the time is up, and stays open when that fails', async () => {
    const { headers } = await stopTask(gateway.url, 'open');
    await sleep(Number(headers['retry-after']) * 1000);
    sandbox.clearReceivedRequests();
    sandbox.setDelays({ request: { minMs: 200, maxMs: 200 } });
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, n) => stopTask(gateway.url, `probe-${n}`)),
    );
    expect(responses.filter(({ status }) => status === 502)).toHaveLength(1);
    expect(responses.filter(({ status }) => status === 503)).toHaveLength(19);
    expect(sandbox.receivedRequests()).toHaveLength(1);
    expect(await state()).toBe('open');
  });

  it('closes when the call that is let through succeeds', async () => {
    sandbox.setFaults([]);
    sandbox.setDelays({ request: { minMs: 0, maxMs: 0 } });
    const { headers } = await stopTask(gateway.url, 'open');
    await sleep(Number(headers['retry-after']) * 1000);
    expect((await stopTask(gateway.url, 'well-again')).status).toBe(200);
    expect(await state()).toBe('closed');
    expect(
      gateway.logs.filter(({ event }) => event === 'circuit-state-changed').map(({ state: to }) => to),
    ).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
  });
});
