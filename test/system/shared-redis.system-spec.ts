import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Sandbox, startSandbox } from '../../apps/sandbox/src/sandbox.js';
import { send, stopTask } from '../support/client.js';
import { type Gateway, startGateway } from '../support/gateway.js';
import { RedisProcess } from '../support/redis.js';

let sandbox: Sandbox;
let redis: RedisProcess;
let gateways: Gateway[];

beforeAll(async () => {
  sandbox = await startSandbox({ acceptUnknownTasks: true });
  redis = await RedisProcess.start('--requirepass', 'secret');
  const url = new URL(redis.url);
  url.password = 'secret';
  url.pathname = '/3';
  gateways = [];
  for (let n = 0; n < 3; n += 1) gateways.push(await startGateway(sandbox, { REDIS_URL: url.href }));
});

afterAll(async () => {
  for (const gateway of gateways) await gateway.close();
  await redis.close();
  await sandbox.close();
});

const metrics = async (gateway: Gateway) => (await send(gateway.url, '/metrics', { method: 'GET' })).text;

describe('three replicas with one Redis', () => {
  it('make the first calls wait for the hold after start, and serve them', async () => {
    // Patient, since a busy machine may not find Redis before the hold is over.
    const responses = await Promise.all(
      gateways.map(({ url }, n) => stopTask(url, `first-${n}`, '', { prefer: 'wait=30' })),
    );
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const gateway of gateways) expect(await metrics(gateway)).toContain('\nquota_store_up 1\n');
  });

  it('share 20 slots: of 60 calls at once 20 are served', async () => {
    await sleep(3000);
    // The cloud is far away, so that no slot frees before the last call has come.
    sandbox.setDelays({ response: { minMs: 2000, maxMs: 2000 } });
    const responses = await Promise.all(
      Array.from({ length: 60 }, (_, n) => stopTask(gateways[n % 3]!.url, `task-${n}`)),
    );
    sandbox.setDelays({ response: { minMs: 0, maxMs: 0 } });
    const by = (status: number) => responses.filter((response) => response.status === status);
    expect(by(200)).toHaveLength(20);
    expect(by(429)).toHaveLength(40);
    for (const { headers } of by(429)) expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(sandbox.state().statistics.peakPerSecond).toBeLessThanOrEqual(20);
  });

  it('let calls wait for slots that another replica gives back', async () => {
    const responses = await Promise.all(
      Array.from({ length: 45 }, (_, n) =>
        stopTask(gateways[n % 3]!.url, `w-${n}`, '', { prefer: 'wait=30' }),
      ),
    );
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 45 }, () => 200));
    expect(sandbox.state().statistics.peakPerSecond).toBeLessThanOrEqual(20);
  });
});
