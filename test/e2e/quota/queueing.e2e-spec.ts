import { describe, expect, it } from '@jest/globals';
import { startStop, stopTask } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { startGateway } from '../../support/gateway.js';
import { holdSlots } from '../../support/hold-slots.js';
import { readMetric } from '../../support/metrics.js';
import { gatewayFixture } from '../../support/fixtures.js';

const { sandbox, gateway } = await gatewayFixture(
  { acceptUnknownTasks: true },
  { QUOTA_PER_SECOND: '2', QUOTA_QUEUE_LIMIT: '3' },
);

/** Releases the slots that an earlier test holds, then holds both slots until the release. */
const holdAllSlots = (name: string): ReturnType<typeof holdSlots> => {
  sandbox.releaseSlowResponses();
  return holdSlots(
    sandbox,
    gateway.url,
    [1, 2].map((n) => `${name}-${n}`),
  );
};
const queueLength = (): Promise<number> => readMetric(gateway.url, 'ingest_gateway_quota_queue_length');

/** Releases the slots when this number of calls waits. */
async function releaseAtQueueLength(calls: number, release: () => void): Promise<void> {
  await eventually(async () => (await queueLength()) === calls);
  release();
}

describe('Prefer: wait', () => {
  it('makes a call wait for a slot, and Preference-Applied contains the applied wait', async () => {
    const { release } = await holdAllSlots('a');
    const call = stopTask(gateway.url, 'waits', '', { prefer: 'respond-async, Wait="99"' });
    await releaseAtQueueLength(1, release);
    const { status, headers } = await call;
    expect(status).toBe(200);
    expect(headers['preference-applied']).toBe('wait=30');
    expect(
      await readMetric(gateway.url, 'ingest_gateway_quota_decisions_total{decision="waited"}'),
    ).toBeGreaterThan(0);
  });

  it('is read from several headers, and an invalid one is ignored', async () => {
    const { release } = await holdAllSlots('b');
    const call = stopTask(gateway.url, 'several', '', { prefer: ['handling=lenient', 'wait=30'] });
    await releaseAtQueueLength(1, release);
    expect(await call).toMatchObject({ status: 200 });
    await holdAllSlots('c');
    const { status, headers, body } = await stopTask(gateway.url, 'ignored', '', { prefer: 'wait=soon' });
    expect(status).toBe(429);
    expect(headers['preference-applied']).toBeUndefined();
    expect(body).toMatchObject({ code: 'quota-exhausted', outcome: 'not-sent' });
  });

  it('is limited to QUOTA_QUEUE_LIMIT calls', async () => {
    const { release } = await holdAllSlots('e');
    const calls = [1, 2, 3, 4].map((n) => stopTask(gateway.url, `queued-${n}`, '', { prefer: 'wait=30' }));
    // The fourth call gets 429 when the queue is full.
    await Promise.race(calls);
    await releaseAtQueueLength(3, release);
    const responses = await Promise.all(calls);
    expect(responses.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 200, 429]);
    expect(
      await readMetric(gateway.url, 'ingest_gateway_quota_decisions_total{decision="rejected-queue"}'),
    ).toBe(1);
  });

  it('ends when the client disconnects', async () => {
    await holdAllSlots('f');
    const request = startStop(gateway.url, 'disconnects', { prefer: 'wait=30' });
    await eventually(async () => (await queueLength()) === 1);
    request.destroy();
    await eventually(async () => (await queueLength()) === 0);
    const { release } = await holdAllSlots('g');
    release();
    expect(sandbox.receivedRequests().map(({ taskId }) => taskId)).not.toContain('disconnects');
  });
});

describe('QUOTA_DEFAULT_WAIT_MS', () => {
  it('applies to calls without a Prefer header', async () => {
    const waitingGateway = await startGateway(sandbox, {
      QUOTA_PER_SECOND: '1',
      QUOTA_DEFAULT_WAIT_MS: '30000',
    });
    const responses = await Promise.all([1, 2].map((n) => stopTask(waitingGateway.url, `default-wait-${n}`)));
    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    const { responses: delayed, release } = await holdSlots(sandbox, waitingGateway.url, ['holds-the-slot']);
    const withoutWait = await stopTask(waitingGateway.url, 'without-wait', '', { prefer: 'wait=0' });
    expect(withoutWait.status).toBe(429);
    release();
    await delayed;
    await waitingGateway.close();
  });
});
