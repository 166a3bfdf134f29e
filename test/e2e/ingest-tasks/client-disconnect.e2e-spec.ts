import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import v8 from 'node:v8';
import vm from 'node:vm';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../../apps/sandbox/src/sandbox.js';
import { send, startStop } from '../../support/client.js';
import { eventually } from '../../support/eventually.js';
import { type Gateway, startGateway } from '../../support/gateway.js';
import { holdSlots } from '../../support/hold-slots.js';
import { readMetric } from '../../support/metrics.js';

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

const stopAndWait = (taskId: string) => startStop(gateway.url, taskId, { prefer: 'wait=30' });
const logEntryOf = (taskId: string) => gateway.logs.find((entry) => entry['taskId'] === taskId);
const countWithStatus = (status: number) =>
  readMetric(
    gateway.url,
    `http_server_request_duration_seconds_count{method="DELETE",route="/ingest-tasks/:id",status="${status}"}`,
  );

/** Runs the garbage collector. */
v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

describe('a call whose client disconnects', () => {
  it('leaves nothing of its response in memory when its connection was reset', async () => {
    const responses: WeakRef<ServerResponse>[] = [];
    gateway.app
      .getHttpServer()
      .on('request', (_request, response: ServerResponse) => responses.push(new WeakRef(response)));
    sandbox.setDelays({ response: { minMs: 500, maxMs: 500 } });
    const request = stopAndWait('gone');
    await eventually(() => sandbox.receivedRequests().length === 1);
    request.socket!.resetAndDestroy();
    await eventually(() => logEntryOf('gone') !== undefined);
    await eventually(() => {
      collectGarbage();
      return responses[0]!.deref() === undefined;
    });
    expect(responses).toHaveLength(1);
  });

  it('is cancelled while it waits for a slot: it acquires no slot and is not sent', async () => {
    const { release } = await holdSlots(sandbox, gateway.url, ['holds-the-slot']);
    const request = stopAndWait('early');
    await eventually(async () => (await readMetric(gateway.url, 'ingest_gateway_quota_queue_length')) === 1);
    request.destroy();
    await eventually(() => logEntryOf('early') !== undefined);
    expect(logEntryOf('early')).toMatchObject({
      result: 'cancelled',
      outcome: 'not-sent',
      clientDisconnected: true,
    });
    release();
    expect(await send(gateway.url, '/ingest-tasks/next', { headers: { prefer: 'wait=30' } })).toMatchObject({
      status: 200,
    });
    expect(sandbox.receivedRequests().map(({ taskId }) => taskId)).toEqual(['holds-the-slot', 'next']);
    const countDecisions = (decision: string) =>
      readMetric(gateway.url, `ingest_gateway_quota_decisions_total{decision="${decision}"}`);
    expect((await countDecisions('granted')) + (await countDecisions('waited'))).toBe(2);
  });

  it('runs to its end after it was sent, and its outcome is logged', async () => {
    sandbox.setDelays({ response: { minMs: 3000, maxMs: 3000 } });
    const request = stopAndWait('late');
    await eventually(() => sandbox.receivedRequests().some(({ taskId }) => taskId === 'late'));
    request.destroy();
    await eventually(() => logEntryOf('late') !== undefined);
    expect(logEntryOf('late')).toMatchObject({
      result: 'stopped',
      upstreamCode: 'OK',
      clientDisconnected: true,
    });
  });

  it('is counted with status 499 when its connection was reset before the response', async () => {
    sandbox.setDelays({ response: { minMs: 3000, maxMs: 3000 } });
    const request = stopAndWait('counted');
    const socket = new Promise<Socket>((resolve) => request.once('socket', resolve));
    await eventually(() => sandbox.receivedRequests().some(({ taskId }) => taskId === 'counted'));
    (await socket).resetAndDestroy();
    await eventually(() => logEntryOf('counted') !== undefined);
    expect([await countWithStatus(499), await countWithStatus(200)]).toEqual([1, 0]);
  });
});
