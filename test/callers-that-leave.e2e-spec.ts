import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../apps/sandbox/src/sandbox.js';
import { send } from './support/client.js';
import { type Gateway, startGateway } from './support/gateway.js';

let sandbox: Sandbox;
let gateway: Gateway;

beforeEach(async () => {
  sandbox = await startSandbox({ autoTasks: true });
  gateway = await startGateway(sandbox);
  gateway.logs.length = 0;
});

afterEach(async () => {
  await gateway.close();
  await sandbox.close();
});

/** Sends a DELETE and hangs up when told. */
function call(taskId: string): () => void {
  const request = http.request(`${gateway.url}/ingest-tasks/${taskId}`, { method: 'DELETE' });
  request.on('error', () => {});
  request.end();
  return () => request.destroy();
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(20);
}

const lineOf = (taskId: string) => gateway.logs.find((line) => line['taskId'] === taskId);
const metric = async (name: string): Promise<number> => {
  const { text } = await send(gateway.url, '/metrics', { method: 'GET' });
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
};

describe('a caller that hangs up', () => {
  it('while its call waits for a slot: the call is withdrawn, no slot is taken, nothing is sent', async () => {
    // A fresh gateway lends no slot in its first moments, so the call waits.
    const hangUp = call('early');
    await until(async () => (await metric('quota_waiting')) === 1);
    hangUp();
    await until(() => lineOf('early') !== undefined);
    expect(lineOf('early')).toMatchObject({ result: 'withdrawn', outcome: 'not-sent', callerLeft: true });
    expect((await send(gateway.url, '/ingest-tasks/next')).status).toBe(200);
    expect(sandbox.arrivals().map(({ taskId }) => taskId)).toEqual(['next']);
    expect(await metric('quota_slots_in_use')).toBe(1);
  });

  it('after its call was sent: the call runs to its end, and the outcome is logged', async () => {
    expect((await send(gateway.url, '/ingest-tasks/first')).status).toBe(200);
    sandbox.setDelays({ answer: { minMs: 300, maxMs: 300 } });
    const hangUp = call('late');
    await until(() => sandbox.arrivals().some(({ taskId }) => taskId === 'late'));
    hangUp();
    await until(() => lineOf('late') !== undefined);
    expect(lineOf('late')).toMatchObject({ result: 'stopped', upstreamCode: 'OK', callerLeft: true });
  });
});
