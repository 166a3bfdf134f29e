import http from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { send, stopTask } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { holdSlots } from '../../support/hold-slots.js';

let sandbox: Sandbox;
let gateway: Gateway;

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
  gateway = await startGateway(sandbox, { QUOTA_PER_SECOND: '2', QUOTA_QUEUE_LIMIT: '3' });
});

afterAll(async () => {
  await gateway.close();
  await sandbox.close();
});

const metric = async (line: RegExp): Promise<number> => {
  const { text } = await send(gateway.url, '/metrics', { method: 'GET' });
  return Number(line.exec(text)?.[1]);
};

/** Takes both slots: whoever comes in the next seconds finds none. */
const useAllSlots = (name: string): Promise<unknown> =>
  holdSlots(
    sandbox,
    gateway.url,
    [1, 2].map((n) => `${name}-${n}`),
  );
const waiting = (): Promise<number> => metric(/^ingest_gateway_quota_queue_length (\d+)$/m);

describe('Prefer: wait', () => {
  it('lets a call wait for a slot, and the answer says what was honoured', async () => {
    await useAllSlots('a');
    const { status, headers } = await stopTask(gateway.url, 'waits', '', {
      prefer: 'respond-async, Wait="99"',
    });
    expect(status).toBe(200);
    expect(headers['preference-applied']).toBe('wait=30');
    expect(
      await metric(/^ingest_gateway_quota_decisions_total\{decision="waited"\} (\d+)$/m),
    ).toBeGreaterThan(0);
  });

  it('may stand in several headers; one that means nothing is ignored', async () => {
    await useAllSlots('b');
    const several = { prefer: ['handling=lenient', 'wait=30'] };
    expect(await stopTask(gateway.url, 'several', '', several)).toMatchObject({ status: 200 });
    await useAllSlots('c');
    const { status, headers, body } = await stopTask(gateway.url, 'ignored', '', { prefer: 'wait=soon' });
    expect(status).toBe(429);
    expect(headers['preference-applied']).toBeUndefined();
    expect(body).toMatchObject({ code: 'quota-exhausted', outcome: 'not-sent' });
  });

  it('that cannot be met is refused at once', async () => {
    await useAllSlots('d');
    const queue = [1, 2].map((n) => stopTask(gateway.url, `queue-${n}`, '', { prefer: 'wait=30' }));
    await eventually(async () => (await waiting()) === 2);
    const { status, headers } = await stopTask(gateway.url, 'hopeless', '', { prefer: 'wait=1' });
    expect(status).toBe(429);
    expect(headers['preference-applied']).toBe('wait=1');
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    for (const response of await Promise.all(queue)) expect(response.status).toBe(200);
  });

  it('finds a limited number of places', async () => {
    await useAllSlots('e');
    const calls = [1, 2, 3, 4].map((n) => stopTask(gateway.url, `place-${n}`, '', { prefer: 'wait=30' }));
    const responses = await Promise.all(calls);
    expect(responses.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 429]);
    expect(await metric(/^ingest_gateway_quota_decisions_total\{decision="rejected-queue"\} (\d+)$/m)).toBe(
      1,
    );
  });

  it('ends when the caller hangs up', async () => {
    await useAllSlots('f');
    const { hostname, port } = new URL(gateway.url);
    const path = '/ingest-tasks/hangs-up';
    const request = http.request({ hostname, port, path, method: 'DELETE', headers: { prefer: 'wait=30' } });
    request.on('error', () => {});
    request.end();
    await eventually(async () => (await waiting()) === 1);
    request.destroy();
    await eventually(async () => (await waiting()) === 0);
    await useAllSlots('g');
    expect(sandbox.receivedRequests().map(({ taskId }) => taskId)).not.toContain('hangs-up');
  });
});

describe('QUOTA_DEFAULT_WAIT_MS', () => {
  it('is for callers that say nothing', async () => {
    const patient = await startGateway(sandbox, { QUOTA_PER_SECOND: '1', QUOTA_DEFAULT_WAIT_MS: '30000' });
    const responses = await Promise.all([1, 2].map((n) => stopTask(patient.url, `patient-${n}`)));
    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    const { responses: late } = await holdSlots(sandbox, patient.url, ['takes-the-slot']);
    const hasty = await stopTask(patient.url, 'hasty', '', { prefer: 'wait=0' });
    expect(hasty.status).toBe(429);
    await late;
    await patient.close();
  });
});
