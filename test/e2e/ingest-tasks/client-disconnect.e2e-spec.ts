import http from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { send } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { holdSlots } from '../../support/hold-slots.js';

let sandbox: Sandbox;
let gateway: Gateway;

beforeEach(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
  gateway = await startGateway(sandbox, { QUOTA_PER_SECOND: '1' });
  gateway.logs.length = 0;
});

afterEach(async () => {
  await gateway.close();
  await sandbox.close();
});

/** Sends a DELETE and hangs up when told. */
function call(taskId: string): () => void {
  const headers = { prefer: 'wait=30' };
  const request = http.request(`${gateway.url}/ingest-tasks/${taskId}`, { method: 'DELETE', headers });
  request.on('error', () => {});
  request.end();
  return () => request.destroy();
}

const logEntryOf = (taskId: string) => gateway.logs.find((line) => line['taskId'] === taskId);
const metric = async (name: string): Promise<number> => {
  const { text } = await send(gateway.url, '/metrics', { method: 'GET' });
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length),
  );
};

describe('a caller that hangs up', () => {
  it('while its call waits for a slot: the call is withdrawn, no slot is taken, nothing is sent', async () => {
    await holdSlots(sandbox, gateway.url, ['takes-the-slot']);
    const disconnect = call('early');
    await eventually(async () => (await metric('ingest_gateway_quota_queue_length')) === 1);
    disconnect();
    await eventually(() => logEntryOf('early') !== undefined);
    expect(logEntryOf('early')).toMatchObject({
      result: 'cancelled',
      outcome: 'not-sent',
      clientDisconnected: true,
    });
    expect(await send(gateway.url, '/ingest-tasks/next', { headers: { prefer: 'wait=30' } })).toMatchObject({
      status: 200,
    });
    expect(sandbox.receivedRequests().map(({ taskId }) => taskId)).toEqual(['takes-the-slot', 'next']);
    const [granted, waited] = ['granted', 'waited'].map(
      (how) => `ingest_gateway_quota_decisions_total{decision="${how}"}`,
    );
    expect((await metric(granted!)) + (await metric(waited!))).toBe(2);
  });

  it('after its call was sent: the call runs to its end, and the outcome is logged', async () => {
    sandbox.setDelays({ response: { minMs: 3000, maxMs: 3000 } });
    const disconnect = call('late');
    await eventually(() => sandbox.receivedRequests().some(({ taskId }) => taskId === 'late'));
    disconnect();
    await eventually(() => logEntryOf('late') !== undefined);
    expect(logEntryOf('late')).toMatchObject({
      result: 'stopped',
      upstreamCode: 'OK',
      clientDisconnected: true,
    });
  });
});
